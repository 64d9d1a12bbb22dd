TESTLIBS_servers := board membertable balance estimate delays line fs base
