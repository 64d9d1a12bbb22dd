TESTLIBS_servers := board membertable balance estimate fs base
