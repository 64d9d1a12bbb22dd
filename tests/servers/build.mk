TESTLIBS_servers := board fs base
