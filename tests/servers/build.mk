TESTLIBS_servers := board membertable balance fs base
