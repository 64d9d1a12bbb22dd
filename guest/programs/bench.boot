# The performance rows of one node.
+kernel +machine bench
wait
=disk ramdisk 4
=buffers buffers make
=directories directories
=files files
+machine filebench 30
