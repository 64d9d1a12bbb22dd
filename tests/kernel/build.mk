TESTLIBS_kernel := sim kernel net base
