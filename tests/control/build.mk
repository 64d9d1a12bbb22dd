TESTLIBS_control := control base
