TESTLIBS_vm := sim kernel net chacha base
