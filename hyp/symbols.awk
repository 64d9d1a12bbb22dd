# From `nm -n` of the first link, the table that cpu/symbols.c looks names up in.
function hex(s,    i, v) {
    v = 0
    for (i = 1; i <= length(s); i++)
        v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
    return v
}
$3 == "image_start" { start = hex(substr($1, 9)) }
($2 == "t" || $2 == "T") && start && $3 !~ /^[.$]/ && $3 != "image_start" && $3 != "text_end" {
    at[n] = hex(substr($1, 9)) - start
    name[n++] = $3
}
END {
    print ".section .symbols, \"a\"\n.globl symbol_count, symbol_table, symbol_names\n.balign 4"
    print "symbol_count: .long", n + 0
    print "symbol_table:"
    for (i = 0; i < n; i++) {
        print ".long", at[i] + 0 ", " offset + 0
        offset += length(name[i]) + 1
    }
    print "symbol_names:"
    for (i = 0; i < n; i++)
        print ".asciz \"" name[i] "\""
    print ".byte 0"
}
