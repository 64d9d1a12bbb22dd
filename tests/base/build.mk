TESTLIBS_base := base
