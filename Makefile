# hotcert: make, make test, make demo, make bench, make docs, make install.
# BUILD=dir builds elsewhere; SAN=address,undefined or SAN=thread builds with a sanitizer (clang).

BUILD   ?= build
CC      ?= gcc
WARN     = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion \
           -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Wcast-qual \
           -Wwrite-strings -Werror
OPT     ?= -O2 -g
HARDEN  ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifneq ($(SAN),)
CC       = clang
OPT      = -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN)
HARDEN   =
LDSAN    = -fsanitize=$(SAN)
endif
CFLAGS  += $(WARN) $(OPT) $(HARDEN) -fPIC -fvisibility=hidden -Icore
LIBS     = -lcurl -ljansson -lldns -lssl -lcrypto -lpthread

# what the server modules link; the program links all
LIGHT    = base conf live pki keeper
HEAVY    = net store acme dns agent
LIGHT_O  = $(patsubst core/%.c,$(BUILD)/core/%.o,$(foreach d,$(LIGHT),$(wildcard core/$(d)/*.c)))
HEAVY_O  = $(patsubst core/%.c,$(BUILD)/core/%.o,$(foreach d,$(HEAVY),$(wildcard core/$(d)/*.c)))
CMD_O    = $(patsubst core/%.c,$(BUILD)/core/%.o,$(wildcard core/cmd/*.c))
UNIT     = $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(wildcard t/unit/*_test.c))

all: $(BUILD)/libhotcert-light.a $(BUILD)/libhotcert.a

$(BUILD)/core/%.o: core/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libhotcert-light.a: $(LIGHT_O)
	rm -f $@ && ar rcs $@ $^

$(BUILD)/libhotcert.a: $(LIGHT_O) $(HEAVY_O)
	rm -f $@ && ar rcs $@ $^

$(BUILD)/hotcert: $(CMD_O) $(BUILD)/libhotcert.a
	$(CC) $(LDSAN) -o $@ $^ $(LIBS)

$(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libhotcert.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-missing-prototypes -It/unit -MMD -MP $(LDSAN) -o $@ $< $(BUILD)/libhotcert.a $(LIBS)

unit: $(UNIT)
	prove -v $(UNIT)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
