TESTLIBS_vm := sim kernel net base
