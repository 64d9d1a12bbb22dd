# The conformance suite, in whatever place this node runs.
+kernel conformance
