# What a node of the demonstration starts: the examples, one after the other.
hello from the first process's child
wait
+kernel ping 100
wait
+kernel counter-client
wait
+kernel mover
wait
+kernel ring 8 10
wait
+kernel tree 3
wait
+kernel ps
