TESTLIBS_machine := hosted_child bundle base
