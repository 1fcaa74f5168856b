PYTHON ?= python3
.PHONY: run test setup check bench reset
run test setup check bench reset:
	$(PYTHON) dev.py $@ $(ARGS)
