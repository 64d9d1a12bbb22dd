# A node that is wrong on purpose, for test_wrong.py.
$(eval $(call domain_image,test-wrong,tests/harness/guests/wrong.c $(NODE_X86),$(NODE_X86_LIBRARIES),--wrap=net_up_message --wrap=departure_done --wrap=trace_open))
