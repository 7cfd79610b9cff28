// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import "context"

// quiet stops all other processes, once, until goOn. The job runs on without it
// if it is not wanted or not possible.
//
// From here on nothing may be needed that another process does: if one serves a
// file system, or decides on each open, the job waits until package quiesce lets
// all continue.
func (j *Job) quiet(ctx context.Context) error {
	if j.o.Quiesce == QuiesceOff || j.askedQuiet {
		return nil
	}
	j.askedQuiet = true
	s, err := j.o.calls.stop(ctx)
	if err == nil {
		j.others = s
		if n := s.Count(); n > 0 {
			j.o.Log("other processes are stopped: %d", n)
		}
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	j.o.Log("other processes are not stopped: %v", err)
	return nil
}

// mayQuiet reports whether quiet can still change something.
func (j *Job) mayQuiet() bool { return j.o.Quiesce != QuiesceOff && !j.askedQuiet }

// goOn lets the processes continue that quiet has stopped.
func (j *Job) goOn() {
	if j.others != nil {
		j.others.Continue()
	}
	j.others, j.askedQuiet = nil, false
}

// checkQuiet says if the others have continued by themselves.
func (j *Job) checkQuiet() {
	if j.others != nil && !j.others.Held() {
		j.o.Log("other processes run again: they were stopped for too long")
	}
}
