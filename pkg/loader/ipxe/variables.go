// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package ipxe

import (
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/loader"
)

// expand replaces ${NAME} by its value, the innermost first.
func (x *interpreter) expand(s *script, word string) (string, error) {
	const most = 100 // a value may contain variables, even its own
	for range most {
		end := -1
		start := -1
		for i := 0; i < len(word) && end < 0; i++ {
			switch {
			case strings.HasPrefix(word[i:], "${"):
				start = i
			case word[i] == '}' && start >= 0:
				end = i
			}
		}
		if end < 0 {
			return word, nil
		}
		word = word[:start] + x.value(s, word[start+2:end]) + word[end+1:]
		if len(word) > maxLine {
			return "", fmt.Errorf("a word of more than %d bytes", maxLine)
		}
		if err := x.spend(len(word)); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("more than %d variables in a word", most)
}

// value returns a setting in the form that :TYPE behind its name asks for. It
// is empty if there is no such setting (ipxe.org/cfg, ipxe.org/settings).
func (x *interpreter) value(s *script, name string) string {
	name, form := splitName(name)
	v, set := x.variables[name]
	if !set {
		v.text = x.setting(s, name)
	}
	if i := integers[form]; i != nil && v.text != "" {
		n, ok := i.value(v.raw())
		if !ok {
			return ""
		}
		return i.format(n)
	}
	separator := ""
	switch form {
	case "hexhyp":
		separator = "-"
	case "hex":
		separator = ":"
	case "hexraw":
	case "uristring":
		return uristring(v.text)
	default:
		return v.text
	}
	parts := []string{}
	for _, b := range v.raw() {
		parts = append(parts, hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, separator)
}

// uristring escapes what iPXE does, which is less than url.QueryEscape: blanks,
// bytes that are not ASCII, and characters with a meaning in URLs.
func uristring(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("%/#:@?=&+", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// raw returns the bytes of a setting.
func raw(text string) []byte {
	if mac, err := net.ParseMAC(text); err == nil {
		return mac
	}
	if ip := net.ParseIP(text); ip != nil {
		if four := ip.To4(); four != nil {
			return four
		}
		return ip
	}
	if uuid.MatchString(text) {
		b, _ := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		return b
	}
	return []byte(text)
}

// buildarchs maps GOARCH to the names of iPXE where these differ. For
// architectures without an iPXE the name is that of Go.
var buildarchs = map[string]string{"386": "i386", "amd64": "x86_64", "arm": "arm32"}

// setting returns what the lease and the place of the script say. There is one
// interface, that of the lease.
func (x *interpreter) setting(s *script, name string) string {
	if scope, rest, found := strings.Cut(name, "/"); found && slices.Contains([]string{"net0", "netX", "net0.dhcp", "netX.dhcp"}, scope) {
		name = rest
	}
	switch name {
	case "mac":
		return x.MAC.String()
	case "machyp":
		return strings.ReplaceAll(x.MAC.String(), ":", "-")
	case "ip":
		if ip := x.IP.To4(); ip != nil {
			return ip.String()
		}
	case "ip6":
		if x.IP.To4() == nil && x.IP != nil {
			return x.IP.String()
		}
	case "next-server":
		return x.Server
	case "filename":
		return x.BootFile
	case "uuid":
		return x.UUID
	case "cwuri":
		return s.url.String()
	case "cwduri":
		return loader.Directory(s.url).String()
	case "platform":
		return "efi"
	case "buildarch":
		if name := buildarchs[x.Arch]; name != "" {
			return name
		}
		return x.Arch
	}
	return x.Settings[name]
}
