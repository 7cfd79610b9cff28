// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

// TestLanguage executes scripts whose entry has what they set as its command
// line.
func TestLanguage(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"words":               {`set x='a  b'; set y="c $x"` + "\n" + `w="$y" # comment`, `"c a  b"`},
		"unquoted":            {`x='a  b'; w="<"$x">"`, `<a`},
		"split in for":        {`x='a  b '; for i in $x "$x" z$x; do w="$w[$i]"; done`, `"[a][b][a  b ][za][b]"`},
		"empty words":         {`for i in $none "" "$none" ''; do w="${w}x"; done`, `xxx`},
		"escapes":             {`w=a\ b\'c\\d\$e"\$f\"g\h"'\i'`, `"a b\'c\\d$e$f\"g\\h\\i"`},
		"hexadecimal escapes": {`w=a\x2db"\x2D"\xzz`, `a\x2db\x2Dxzz`},
		"joined lines":        {"set \\\nw=a\\\nb\"c\\\nd\"", `abcd`},
		"quoted newline":      {"w='a\nb'", "a\nb"},
		"translated":          {`w=$"a b"`, `"a b"`},
		"translated dollar":   {`w=$"$"`, `$`},
		"translated text":     {`x=1; y='a  b'; w=$"[$x${y}$none] $ $- \$x \\ \q \" \x20 $?$"z`, `"[1a  b] $ $- $x \\ \\q \" \x20 0$z"`},
		"translated lines":    {"w=$\"a\nb\\\nc\"", "a\nbc"},
		"translated names":    {`function f { w=$"$1${1}${@}$@${a b}$#${#}${x"; }; f a`, `$@11`},
		"carriage returns":    {"if true; then\r\n w=x\r\nfi\r", `x`},
		"comment is a word":   {`w=a#b`, `a#b`},
		"braces":              {`x=1; w=${x}2$none${none}`, `12`},
		"keyword as argument": {`for w in if then fi; do true; done`, `fi`},
		"if":                  {`if false; then w=1; elif test a = a; then w=2; else w=3; fi`, `2`},
		"else":                {`if false; then w=1; elif false; then w=2; else w=3; fi`, `3`},
		"if of two commands":  {`if true; false; then w=1; else w=2; fi`, `2`},
		"if leaves 0":         {`if false; then w=1; fi; w=$?`, `0`},
		"nested":              {"if true; then if false\nthen\n w=1\nelse\n w=2; fi; fi", `2`},
		"while":               {`while [ "$w" != xxx ]; do w=x$w; done`, `xxx`},
		"until":               {`until [ "$w" = xxx ]; do w=x$w; done`, `xxx`},
		"break":               {`for i in 1 2 3; do if [ $i = 2 ]; then break; fi; w=$w$i; done`, `1`},
		"continue":            {`for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; w=$w$i; done`, `13`},
		"break 2":             {`for i in 1 2; do for j in a b; do w=$w$i$j; break 2; done; done`, `1a`},
		"continue 2":          {`for i in 1 2; do for j in a b; do w=$w$i$j; continue 2; done; w=never; done`, `1a2a`},
		"break outside":       {`break; w=x`, `x`},
		"function":            {"function f {\n w=$#$1${2}$@\n}\nf a 'b c'", `2ab`},
		"arguments":           {`function f { for i in "$@" "$*"; do w="$w($i)"; done; }; f a 'b c'`, `"(a)(b c)(a b c)"`},
		"return":              {`function f { if true; then return 3; fi; w=never; }; f; w=$?`, `3`},
		"return of last":      {`function f { false; return; }; f; w=$?`, `1`},
		"brackets":            {"w=a]]\nif [ a ]]; then w=b; fi", `a]]`},
		"return outside":      {`return; w=$?`, `1`},
		"recursion":           {`function f { if [ $1 != xxx ]; then f x$1; else w=$1; fi; }; f x`, `xxx`},
		"not":                 {`if ! true; then w=1; else w=2; fi; if ! false; then w=${w}3; fi`, `23`},
		"not without":         {`!; w=$?`, `1`},
		"unknown":             {`false; nosuch a b; w=$?`, `0`},
		"unknown in if":       {`if nosuch; then w=1; else w=2; fi`, `1`},
		"unknown, inverted":   {`! nosuch; w=$?; ! x=1; w=$w$?`, `00`},
		"ignored":             {`insmod nosuch; w=$?`, `0`},
		"unavailable":         {`keystatus --shift; w=$?; ! chainloader +1; w=$w$?`, `10`},
		"looked at by GRUB":   {`if cmostest 75:3; then w=1; fi; if file --is-x86-efi /k; then w=${w}2; fi; if sha256sum --check /k --prefix /; then w=${w}3; fi; ! cmostest 75:3; w=$w$?`, `0`},
		"unset":               {`x=1; unset x; w=[$x]`, `[]`},
		"while's status":      {`while false; do true; done; w=$?; until true; do true; done; w=$w$?`, `10`},
		"status in else":      {`if false; then true; else w=$?; fi`, `1`},
		"status in for":       {`false; for i in a; do w=$?; done; false; for i in $none; do true; done; w=$w$?`, `10`},
		"no arguments":        {`w=[$#]; function f { w=$w$#; }; f`, `[]0`},
		"empty arguments":     {`function f { for i in a$@b a$*b; do w="$w($i)"; done; }; f x ''`, `(axb)(axb)`},
		"shift":               {`function f { shift; w=$1$#; shift 2; w=$w-$1$#; shift 2; w=$w-$?$1$#; }; f a b c d`, `b3-d1-1d1`},
		"shift wrongly":       {`shift; w=$?; function f { shift x; w=$w$?; shift -1; w=$w$?; shift 0 0; w=$w$?$#; }; f a`, `01111`},
		"setparams":           {`setparams a; w=$?; function f { setparams 'b c' d; w="$w$1$#"; setparams; w="$w$#"; }; f a`, `"1b c20"`},
		"parameters are own":  {`function g { setparams x; }; function f { g; w=$1; }; f a`, `a`},
		"return wrongly":      {`function f { return x; w=1; return 1 2; w=${w}2; return -1; w=${w}3; }; f`, `123`},
		"return of a file":    {`function f { source /return; w=$w$?; }; f; w=$w$?`, `2more0`},
		"break of a file":     {`for i in a b; do w=$w$i; source /break; w=never; done`, `a`},
		"eval":                {`x='w="a  b"'; eval $x; eval "w=\"\$w\" ;" 'w="$w"c'`, `"a bc"`},
		"eval of lines":       {"eval 'w=a\nw=${w}b\nfi\nw=never'; w=$w$?", `ab0`},
		"eval's status":       {`eval false; w=$?; eval ''; w=$w$?; eval; w=$w$?; false; eval 'w=$w$?'`, `1001`},
		"eval in function":    {`function f { eval 'w=$1$#; shift'; w=$w$1; eval 'return 3'; w=never; }; f a b; w=$w$?`, `a2b3`},
		"eval in loop":        {`for i in a b; do w=$w$i; eval 'break; w=never'; w=never; done`, `a`},
		"eval of a backslash": {`x='\'; w=a; eval "w=b$x"`, `a`},
		"regexp":              {`if regexp b abc; then w=1; fi; if regexp '^b' abc; then w=${w}2; fi`, `1`},
		"regexp's parts":      {`regexp -s d --set 2:p --set=0:w '^([^,]*),?(.*)' hd0,gpt2; w=$?$w/$d/$p`, `0hd0,gpt2/hd0/gpt2`},
		"regexp's no part":    {`x=1; y=1; regexp -s 2:x -s 3:y '(a)(b)?' ac; w=$?[$x$y]`, `0[]`},
		"regexp's classes":    {`regexp '^[[:digit:]]+(x|y)*$' 12xyx; w=$?`, `0`},
		"regexp's counts":     {`regexp -s 1:w -s 2:x '^([0-9a-f]{1,2}):([0-9a-f]{2})(:|$){1}' 0:1f:; w=$?$w$x; regexp '^(a{2,}){2}$' aaa; w=$w$?`, `001f1`},
		"no match":            {`x=1; regexp --set x '(b)' a; w=$?$x`, `11`},
		"wrong regexps":       {`for i in '(' 'a{1000}' '\'; do regexp $i a; w=$w$?; done; regexp a; w=$w$?; regexp -x a a; w=$w$?; regexp -s y:x a a; w=$w$?`, `111111`},
		"probe":               {`probe --set=x -u ($root); y=$?; probe --label $root -s z; w=$y$x$z`, `0b007BOOT`},
		"probe in vain":       {`probe --fs --set=w $root; w=$w$?; probe -u nosuch; w=$w$?; probe; w=$w$?; probe --part-uuid sda1; w=$w$?`, `1111`},
		"built in":            {`function test { false; }; if test a; then w=1; fi`, `1`},
		"features":            {`w=$feature_timeout_style-$feature_ntldr-$feature_none`, `y-y-`},
		"prefix":              {`w=$prefix,$root,$config_directory,$config_file`, `(sda1)/grub,sda1,(sda1)/grub,(sda1)/grub/grub.cfg`},
		"exported":            {`x=1; y=2; export y; submenu A { menuentry B { linux /k $x$y; }; }; w=z`, `z`},
		"unresolved root":     {`set root='hd0,gpt2'; w=$root; set root=(sda1); w=$w$root`, `sda1sda1`},
		"assigned by name":    {`n=w; $n=x`, `x`},
		"load_env":            {"load_env; w=$a$b", "1a\\\\b=c"},
		"load_env names":      {"load_env -f /grub/grubenv b; w=[$a]$b", "[]a\\\\b=c"},
		"load_env long":       {"load_env --skip-sig --file=(sda1)/grub/grubenv a; w=[$a]$b", "[1]"},
		"load_env missing":    {"load_env -f /nosuch; w=$?", "1"},
		"source":              {`. /more x; w=$w$?; source /more; w=$w$?`, `1more0`},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda1", "b007", "BOOT", map[string]string{
				"grub/grub.cfg": test.script + "\nmenuentry last { linux /k \"$w\"; }\n",
				"return":        "w=1; return 3; w=never\nw=2more\n",
				"break":         "break; w=never\nw=never\n",
				"grub/grubenv":  envBlock("a=1", `b=a\\b=c`, "empty="),
				"more":          `w="${w}more"`,
				"k":             "",
			})
			c, err := Parse(v, entry.Volumes{v})
			if err != nil || len(c.Entries) == 0 {
				t.Fatal(c, err)
			}
			if got := c.Entries[len(c.Entries)-1].Cmdline; got != test.want {
				t.Errorf("%s, want %s; %v", got, test.want, c.Notes)
			}
		})
	}
}

func TestCondition(t *testing.T) {
	v := open(t, "sda1", "", "", map[string]string{"dir/file": "x", "empty": "", "k": "x"})
	for expression, want := range map[string]bool{
		``: true, `a`: true, `""`: false, `-n a`: true, `-n ""`: false, `-z ""`: true, `-z a`: false,
		`a = a`: true, `a == b`: false, `a != b`: true, `a '<' b`: true, `b \< a`: false, `b '>' a`: true, `a '>=' a`: true, `a '<=' b`: true,
		`1 -eq 01`: true, `0x10 -eq 16`: true, `10 -gt 9`: true, `-1 -lt 0`: true, `2 -le 1`: false, `2 -ge 3`: false, `1 -ne 2`: true, `1x -eq 1`: true,
		`99999999999999999999999 -gt 5`: true, `08 -eq 0`: false, `x -eq 0`: true,
		`a-2 -pgt a-1`: true, `a-1.10 -plt a-1.9`: false, `100 -pgt 19`: false, `a -plt a1`: true, `0 -pgt -1`: false, `1 -pgt -1`: true,
		`/empty -nt /dir`: false,
		`-e /dir/file`:    true, `-f /dir/file`: true, `-d /dir/file`: false, `-s /dir/file`: true, `-s /empty`: false,
		`-f /empty`: true, `-d /dir`: true, `-d /dir/`: true, `-e /dir`: true, `-f /dir`: false, `-e /nosuch`: false,
		`-e (sda1)/empty`: true, `-e '(sda1)'/empty`: true, `-d '(sda1)/'`: true, `-e (sda1`: false,
		`-e empty`: true, `-d dir/`: true, `-f (sda1)empty`: true, `-f dir/file`: false, `-s k`: false, `-s /k`: true,
		`-e ""`: true, `-d ""`: true, `-f ""`: false, `-d (sda1)`: true, `-e (sdb1)`: false, `-d (sdb1)/`: false,
		`! a`: false, `! ! a`: true, `! a = b`: true, `a -a b`: true, `a -a ""`: false, `"" -o a`: true, `"" -o ""`: false,
		`a = a -a b = c -o d`: true, `a -o b -a ""`: true, `"(" "" -o a ")" -a b`: true, `( "" -o a ) -a ""`: false,
		`! ( a -a "" )`: true, `-n`: true, `a =`: true, `) a`: true,
		`-n $none`: true, `x$none = x`: true,
	} {
		in := newInterpreter(v, nil, entry.File{Volume: v, Name: "/grub.cfg"}, "ppc64le")
		if err := in.runText("x", "if [ "+expression+" ]; then w=1; else w=0; fi\n"); err != nil || len(in.config.Notes) > 0 {
			t.Errorf("%s: %v %v", expression, err, in.config.Notes)
		}
		if got := in.value("w") == "1"; got != want {
			t.Errorf("[ %s ] is %v", expression, got)
		}
	}
}

func TestSearch(t *testing.T) {
	all := entry.Volumes{
		open(t, "sda1", "AAAA-BBBB", "ONE", empty("one", "both")),
		open(t, "sda2", "cccc", "two", empty("two", "both")),
	}
	for command, want := range map[string]string{
		`search --fs-uuid --set=root CCCC`:                            "sda2",
		`search --no-floppy --fs-uuid --set=root aaaa-bbbb`:           "sda1",
		`search --set=root -u cccc --hint hd0,1 --hint-bios=hd0,2`:    "sda2",
		`search --hint-new=x -u --set cccc`:                           "sda2",
		`search --label --set=root two`:                               "sda2",
		`search -l -s root two`:                                       "sda2",
		`search --label --set=root TWO`:                               "sda1",
		`search --file --set=root /two`:                               "sda2",
		`search -f /both --set=root`:                                  "sda1",
		`search.file /two root`:                                       "sda2",
		`search.fs_label two root hd0`:                                "sda2",
		`search.fs_uuid cccc`:                                         "sda1",
		`search --set=root cccc`:                                      "sda1",
		`search --fs-uuid --set=root ""`:                              "sda1",
		`search --fs-uuid --hint`:                                     "sda1",
		`search --fs-uuid --no-floppy=x cccc --set`:                   "sda1",
		`search --set=x -u cccc; set root=$x`:                         "sda2",
		`set root=hd0,1; search -u -s root -- cccc`:                   "sda2",
		`search.fs_uuid cccc root; search.file /nosuch root; echo $?`: "sda2",
		`search --file --set=root two`:                                "sda1",
		`search -ns root -f /two`:                                     "sda2",
		`search -fs /two`:                                             "sda2",
		`search -fx --set=root /two`:                                  "sda1",
		`search -sf root -h hd0 /two`:                                 "sda1",
		`search --file --set=root --hint -x /two`:                     "sda1",
		`search --set --file /two`:                                    "sda2",
	} {
		in := newInterpreter(all[0], all, entry.File{Volume: all[0], Name: "/grub.cfg"}, "ppc64le")
		if err := in.runText("x", command+"\n"); err != nil {
			t.Error(command, err)
		}
		if got := in.value("root"); got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}

// TestSearchTwins: of several volumes that a search finds, one on the disk of the
// configuration is taken, and there the one that a hint names.
func TestSearchTwins(t *testing.T) {
	for _, test := range []struct{ command, volumes, want, note string }{
		{"search -u -s root X", "sda1 sdb1 sdb2", "sdb1", "sdb1, sdb2, sda1 have the fs-uuid X: sdb1 is taken"},
		{"search -l -s root L", "sda1 sda2 sdb2", "sdb2", "sdb2, sda1, sda2 have the label L: sdb2 is taken"},
		{"search -f -s root /f", "sda1 sdb1 sdb2", "sdb1", ""},
		{"search.fs_uuid X root", "sda1 sdb2", "sdb2", "sdb2, sda1 have the fs-uuid X: sdb2 is taken"},
		{"search.fs_uuid X root hd0,gpt3", "sda1 sdb1 sdb3", "sdb3", "sdb3, sdb1, sda1 have the fs-uuid X: sdb3 is taken"},
		{"search -u -s root X --hint hd0,msdos2", "sdb1 sdb2", "sdb2", "sdb2, sdb1 have the fs-uuid X: sdb2 is taken"},
		{"search -f -s root /f --hint-efi='(hd0,3)'", "sdb1 sdb2 sdb3", "sdb3", ""},
		{"search -f -s root /f --hint=sda1", "sda1 sdb1", "sdb1", ""},
		{"search -f -s root /f --hint=hd1,gpt2", "sda1 sda2 sdc2", "sda2", ""},
		{"search -f -s root /f --hint=sdc2", "sda1 sdc2", "sdc2", ""},
		{"search -f -s root /f --hint=hd1", "sda1 sda2", "sda1", ""},
		{"search -u -s root X; search -u -s root X", "sdb1 sdb2", "sdb1", "sdb1, sdb2 have the fs-uuid X: sdb1 is taken"},
		{"search -u -s root Y", "sda1 sdb1", "sdb9", "x:1: no file system with fs-uuid Y"},
	} {
		start := open(t, "sdb9", "", "", nil)
		all := entry.Volumes{}
		for device := range strings.FieldsSeq(test.volumes) {
			all = append(all, open(t, device, "x", "L", empty("f")))
		}
		in := newInterpreter(start, append(all, start), entry.File{Volume: start, Name: "/grub.cfg"}, "ppc64le")
		in.config.Source = "x"
		if err := in.runText("x", test.command+"\n"); err != nil {
			t.Error(test.command, err)
		}
		if got, note := in.value("root"), strings.Join(in.config.Notes, "; "); got != test.want || note != test.note {
			t.Errorf("%s: %s, want %s: %s", test.command, got, test.want, note)
		}
	}
}

func TestEntries(t *testing.T) {
	for name, test := range map[string]struct {
		script      string
		want, notes []string
	}{
		"options": {script: `menuentry --class a 'T' --class=b --users "" --hotkey x --unrestricted --id I --new { linux /k $1; }`,
			want: []string{"*I|T|sda1:/k|||T"}},
		"users of nobody": {script: `menuentry A --unrestricted --users $none --id I { linux /k; }; submenu S --users --id J { menuentry B --users { linux /k; }; }; menuentry C --users { linux /k; }`,
			want: []string{"*I|A|sda1:/k|||", "B|S > B|sda1:/k|||", "C|C|sda1:/k|||"}},
		"initrds": {script: `menuentry A { linuxefi /k a  b; initrd /i /j; devicetree /i; }` + "\n" + `menuentry B { linux16 /k; initrd16 /i; initrd /j; }`,
			want: []string{"*A|A|sda1:/k|sda1:/i,sda1:/j|sda1:/i|a b", "B|B|sda1:/k|sda1:/j||"}},
		"last kernel": {script: `menuentry A { linux /k a; initrd /i; linux /j b; }`, want: []string{"*A|A|sda1:/j|||b"}},
		"lazily":      {script: `menuentry A { linux /k $x; x=2; }; menuentry B { linux /k $x; }; x=1`, want: []string{"*A|A|sda1:/k|||1", "B|B|sda1:/k|||1"}},
		"exported": {script: `x=1; y=2; export y; submenu S { submenu T { menuentry A { linux /k [$x$y]; }; }; }`,
			want: []string{"*A|S > T > A|sda1:/k|||[2]"}},
		"dashes":     {script: `menuentry A --id -x { linux /k; }; menuentry B --class - { linux /k; }; menuentry -C --id=-x { linux /k $1; }`, want: []string{"*-x|-C|sda1:/k|||-C"}, notes: []string{"sda1:/grub/grub.cfg:1: menuentry without a title or a body", "sda1:/grub/grub.cfg:1: menuentry without a title or a body"}},
		"chosen":     {script: `menuentry 'a>b' { linux /k $chosen; }; submenu S --id s { submenu T { menuentry A { linux /k $chosen; }; }; }`, want: []string{"*a>b|a>b|sda1:/k|||a>>b", "A|S > T > A|sda1:/k|||s>T>A"}},
		"no default": {script: `menuentry A { linux /k; }; menuentry "" { linux /k; }`, want: []string{"*A|A|sda1:/k|||", "||sda1:/k|||"}},
		"inner default": {script: `default="S>1>2"; submenu S { menuentry A { linux /k $default; }; menuentry B { linux /k $default; }; }; menuentry C { linux /k [$default]; }`,
			want: []string{"A|S > A|sda1:/k|||", "*B|S > B|sda1:/k|||2", "C|C|sda1:/k|||[]"}},
		"return ends its line": {script: "menuentry A {\n if true; then return; fi; x=1\n if true; then x=2; fi\n linux /k [$x]; x=never\n initrd /i\n}\nmenuentry B { linux /k; return; initrd /i; }",
			want: []string{"*A|A|sda1:/k|sda1:/i||[]", "B|B|sda1:/k|||"}},
		"parameters": {script: `menuentry A b c { shift; linux /k $1$#; setparams d; linux /k $2$1; }`, want: []string{"*A|A|sda1:/k|||d"}},
		"missing": {script: `menuentry A { linux /nosuch; }; menuentry B { linux /k; initrd /i /nosuch; }` + "\n" + `menuentry C { linux k; }; menuentry D { linux /k; }`,
			want: []string{"D|D|sda1:/k|||"},
			notes: []string{
				"sda1:/grub/grub.cfg:1: A is left out: unusable loader configuration: sda1:/nosuch: no such file or directory",
				"sda1:/grub/grub.cfg: the default is left out",
				"sda1:/grub/grub.cfg:1: B is left out: unusable loader configuration: sda1:/nosuch: no such file or directory",
				"sda1:/grub/grub.cfg:2: C is left out: unusable loader configuration: k is no file on this machine",
			}},
		"default by >":   {script: `default='a>>b>c'; submenu 'a>b' { menuentry x { true; }; menuentry c { linux /k; }; }`, want: []string{"*c|a>b > c|sda1:/k|||"}, notes: []string{"sda1:/grub/grub.cfg:1: a>b > x is left out: unusable loader configuration: no linux command"}},
		"begins with 1":  {script: `default=1st; menuentry 1st { linux /k; }; menuentry B { linux /k; }`, want: []string{"1st|1st|sda1:/k|||", "*B|B|sda1:/k|||"}},
		"boots itself":   {script: `linux /k a; initrd /i; boot; menuentry A { linux /k; }`, want: []string{"*||sda1:/k|sda1:/i||a"}},
		"boots not":      {script: `boot; menuentry A { linux /k; boot; linux /j; }`, want: []string{"*A|A|sda1:/k|||"}},
		"leaves":         {script: "menuentry A { linux /k; }\nexit\nmenuentry B { linux /k; }", want: []string{"A|A|sda1:/k|||"}, notes: []string{"sda1:/grub/grub.cfg ends without a menu", "sda1:/grub/grub.cfg: the default is left out"}},
		"configfile":     {script: `menuentry A { configfile /other; }; default=1; menuentry B { linux /k; }`, want: []string{"O|A > O|sda1:/k|||", "*B|B|sda1:/k|||"}},
		"no menu":        {script: `configfile /nothing; menuentry B { linux /k; }`, want: []string{"*B|B|sda1:/k|||"}},
		"nested in vain": {script: `menuentry A { menuentry B { linux /j; }; linux /k; }`, want: []string{"*A|A|sda1:/k|||"}},
		"no title":       {script: `menuentry { linux /k; }; menuentry A`, notes: []string{"sda1:/grub/grub.cfg:1: menuentry without a title or a body", "sda1:/grub/grub.cfg:1: menuentry without a title or a body"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := empty("k", "i", "j")
			files["grub/grub.cfg"] = test.script + "\n"
			files["other"] = "menuentry O { linux /k; }"
			files["nothing"] = "echo"
			v := open(t, "sda1", "", "", files)
			c, err := Parse(v, entry.Volumes{v})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, lines(c)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(test.notes, c.Notes); d != "" {
				t.Error(d)
			}
		})
	}
}
