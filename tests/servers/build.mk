TESTLIBS_servers := board membertable fs base
