TESTLIBS_campaign := campaign sim fabric media kernel net base
