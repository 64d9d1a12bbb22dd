TESTLIBS_machine := hosted_child hosted_ether net deaf space bundle base
