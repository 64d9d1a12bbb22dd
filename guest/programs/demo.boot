# What a node of the demonstration starts.
hello from the first process's child
