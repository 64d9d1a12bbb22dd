TESTLIBS_vm := sim kernel net chacha slots verify disks base
