// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package pcr

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lines of the texts that tools print.
var (
	// bankLine begins a bank in the output of tpm2_pcrread: "  sha256:".
	bankLine = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*)\s*:$`)
	// valueLine holds a value: "10: 0xD8E6…" (tpm2_pcrread), or "PCR-10: D8
	// E6 …" (TPM 1.2 in sysfs, evmctl).
	valueLine = regexp.MustCompile(`^(?:(?i:PCR)[-_ ]?)?(\d{1,2})\s*:\s*((?:0x)?[0-9A-Fa-f][0-9A-Fa-f\s]*)$`)
	// otherLine is a line of tpm2_quote that is about something else.
	otherLine = regexp.MustCompile(`^(?:- )?[A-Za-z][A-Za-z0-9_ -]*:\s.*$`)
)

// pcrsLine begins the values in the output of tpm2_quote and tpm2_eventlog.
const pcrsLine = "pcrs:"

// addText adds the values of a text as tools print it: the output of tpm2_pcrread,
// of tpm2_quote or of tpm2_eventlog; a file for evmctl --pcrs; the file pcrs of a
// TPM 1.2 in sysfs; or hexadecimal digits alone, as in a file pcr-ALG/INDEX of
// sysfs. Where a text does not name a bank, the length of the value tells it.
//
// bank is the one that is wanted, or "". The bank and index of digits alone are
// told by bank and index.
func (g *Given) addText(text []byte, bank Algorithm, index int) error {
	if digits := strings.Join(strings.Fields(string(text)), ""); digits != "" && strings.Trim(digits, hexDigits) == "" {
		return g.addDigits(index, bank, digits)
	}
	if bank != "" && bank.Size() == 0 {
		g.skip(string(bank))
		return nil
	}
	p := &textParser{Given: g, bank: bank}
	lines := bytes.Split(text, []byte("\n"))
	first := max(0, slices.IndexFunc(lines, func(line []byte) bool { return string(bytes.TrimSpace(line)) == pcrsLine }))
	found := false
	for i, line := range lines[first:] {
		ok, err := p.line(string(bytes.TrimSpace(line)))
		if err != nil {
			return fmt.Errorf("line %d: %w", first+i+1, err)
		}
		found = found || ok
	}
	if !found && len(g.Unknown) > 0 {
		return fmt.Errorf("%w: the text has only banks that cannot be replayed here: %s", ErrValue, strings.Join(g.Unknown, ", "))
	}
	if !found {
		return fmt.Errorf("%w: the text has no value of a known bank", ErrValue)
	}
	return nil
}

// addDigits adds a value that has no name.
func (g *Given) addDigits(index int, bank Algorithm, digits string) error {
	switch {
	case bank == "":
		a, err := bySize(digits)
		if err != nil {
			return err
		}
		bank = a
	case bank.Size() == 0:
		g.skip(string(bank))
		return nil
	}
	return g.add(index, string(bank), digits)
}

func (g *Given) skip(bank string) {
	if !slices.Contains(g.Unknown, bank) {
		g.Unknown = append(g.Unknown, bank)
	}
}

// bySize returns the algorithm whose digests have as many digits.
func bySize(digits string) (Algorithm, error) {
	n := hex.DecodedLen(len(strings.TrimPrefix(digits, "0x")))
	for _, a := range Algorithms {
		if a.Size() == n {
			return a, nil
		}
	}
	return "", fmt.Errorf("%w: no known bank has values of %d bytes", ErrValue, n)
}

// A textParser reads the lines of one text.
type textParser struct {
	*Given
	// bank is the one that is wanted, or "".
	bank Algorithm
	// current is the bank that the last bankLine named.
	current string
}

// line reads one line, and reports whether it has a value of a known bank.
func (p *textParser) line(s string) (bool, error) {
	if s == "" || s == "---" || s == pcrsLine || strings.HasPrefix(s, "#") {
		return false, nil
	}
	if m := bankLine.FindStringSubmatch(s); m != nil {
		p.current = strings.ToLower(m[1])
		return false, nil
	}
	m := valueLine.FindStringSubmatch(s)
	if m == nil {
		if otherLine.MatchString(s) {
			return false, nil
		}
		return false, fmt.Errorf("%w: %q is not the value of a PCR", ErrValue, shorten(s))
	}
	return p.value(m[1], strings.Join(strings.Fields(m[2]), ""))
}

func (p *textParser) value(number, digits string) (bool, error) {
	index, err := parseIndex(number)
	if err != nil {
		return false, err
	}
	bank := p.bank
	switch current := Algorithm(p.current); {
	case current == "" && bank == "":
		if bank, err = bySize(digits); err != nil {
			return false, err
		}
	case current == "":
	case current.Size() == 0:
		p.skip(p.current)
		return false, nil
	case bank != "" && bank != current:
		return false, nil
	default:
		bank = current
	}
	return true, p.add(index, string(bank), digits)
}

// shorten bounds what an error quotes.
func shorten(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
