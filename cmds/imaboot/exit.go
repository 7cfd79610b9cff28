// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/discover"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/target"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// Reasons of the command's own.
var (
	errNotRoot   = errors.New("not privileged")
	errFileFault = errors.New("a file changed or could not be read while it was in use")
	errGrowing   = errors.New("the list keeps growing")
	errNotLoaded = errors.New("nothing is loaded")
)

// A verdictError is a verdict that forbids to go on.
type verdictError struct {
	verdict handover.Verdict
	text    string
}

func (e *verdictError) Error() string { return string(e.verdict) + ": " + e.text }

// verdictCodes are the exit codes of verdicts. A match is no refusal.
var verdictCodes = map[handover.Verdict]int{
	handover.Match:             0,
	handover.NoTPM:             20,
	handover.ListAhead:         21,
	handover.TPMAhead:          22,
	handover.Tampered:          23,
	handover.BankNotReplayable: 24,
	handover.CannotBeCarried:   25,
	handover.NotRestored:       26,
}

// exitCodes are those of errors; the first that matches counts. README.md
// has them as a table.
var exitCodes = []struct {
	err  error
	code int
}{
	{errUsage, 2},
	{errNotRoot, 3},
	{archdesc.ErrNoPrivilege, 3},
	{handover.ErrNotAllowed, 3},
	{handover.ErrNoSecurityfs, 4},
	{handover.ErrNoIMA, 5},
	{handover.ErrCannotCarry, verdictCodes[handover.CannotBeCarried]},
	{handover.ErrByteOrder, 28},
	{handover.ErrNotInitramfs, 29},
	{handover.ErrCarriedDamaged, 30},
	{handover.ErrCarriedVersion, 31},
	{handover.ErrCarriedForeign, 32},
	{handover.ErrCarriedLost, 33},
	{handover.ErrTruncated, 6},
	{handover.ErrCorrupt, 6},
	{handover.ErrBuffer, 6},
	{handover.ErrPCR, 7},
	{target.ErrFile, 8},
	{errFileFault, 8},
	{archdesc.ErrNotKernel, 9},
	{archdesc.ErrCmdlineTooLong, 10},
	{archdesc.ErrCmdlineBytes, 10},
	{archdesc.ErrBadTree, 11},
	{archdesc.ErrNoRoom, 12},
	{archdesc.ErrUnknownArch, 13},
	{errNotLoaded, 15},
	{errGrowing, 27},
	{handover.ErrBusy, 27},
	{tpm.ErrMoving, 27},
	{archdesc.ErrNotRestored, verdictCodes[handover.NotRestored]},
	{policy.ErrRule, 34},
	{policy.ErrFixed, 35},
	{policy.ErrBusy, 36},
	{handover.ErrNotMeasured, 37},
	{handover.ErrPredict, 38},
	{eventlog.ErrDamaged, 39},
	{eventlog.ErrBank, 40},
	{errUnexplained, 40},
	{errNoEventLog, 41},
	{tpm.ErrExtend, 42},
	{discover.ErrNothingFound, 43},
	{fetch.ErrTimeout, 44},
	{fetch.ErrNotFound, 45},
	{fetch.ErrRefused, 46},
	{fetch.ErrTooBig, 47},
	{fetch.ErrSum, 48},
	{fetch.ErrCertificate, 49},
	{entry.ErrConfig, 50},
	{tpm.ErrNoTPM, verdictCodes[handover.NoTPM]},
}

// exitCode is 1 for what has no code of its own.
func exitCode(err error) int {
	if verdict, ok := errors.AsType[*verdictError](err); ok {
		return verdictCodes[verdict.verdict]
	}
	for _, x := range exitCodes {
		if errors.Is(err, x.err) {
			return x.code
		}
	}
	if _, ok := errors.AsType[*kexec.LoadError](err); ok {
		return 14
	}
	return 1
}
