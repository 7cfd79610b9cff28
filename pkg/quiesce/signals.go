// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package quiesce

import (
	"context"
	"os"
	"os/signal"
	"slices"

	"golang.org/x/sys/unix"
)

// Signals that would leave the others stopped, because they end or stop the
// process that is to let them continue.
var (
	ending   = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT}
	stopping = []os.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE}
)

// Guard keeps signals from ending or stopping this process until done is called.
// A signal to end cancels the context; a signal to stop is lost, also afterwards,
// because the Go runtime keeps its handler for it. Signals that the program
// ignores stay ignored.
func Guard(ctx context.Context) (guarded context.Context, done func()) {
	end := func() {}
	if sigs := heeded(ending); len(sigs) > 0 {
		ctx, end = signal.NotifyContext(ctx, sigs...)
	}
	lost := make(chan os.Signal, 1)
	if sigs := heeded(stopping); len(sigs) > 0 {
		signal.Notify(lost, sigs...)
	}
	return ctx, func() {
		signal.Stop(lost)
		end()
	}
}

// heeded returns the signals that are not ignored. Without any, Notify would
// take all signals.
func heeded(sigs []os.Signal) []os.Signal {
	return slices.DeleteFunc(slices.Clone(sigs), signal.Ignored)
}
