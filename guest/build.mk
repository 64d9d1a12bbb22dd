# Programs last: bundles hold those of all other folders too.
include $(filter-out guest/programs/build.mk,$(wildcard guest/*/build.mk)) \
    $(wildcard guest/*/*/build.mk) guest/programs/build.mk
