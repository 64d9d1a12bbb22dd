TESTLIBS_machine := hosted_child space bundle base
