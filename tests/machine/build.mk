TESTLIBS_machine := hosted_child hosted_ether net space bundle base
