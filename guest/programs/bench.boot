# The performance rows of one node.
+kernel +machine bench
