TESTLIBS_servers := fs base
