include $(wildcard guest/*/build.mk) $(wildcard guest/*/*/build.mk)
