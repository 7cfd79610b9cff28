// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline_test

import (
	"fmt"
	"log"

	"github.com/imaboot/imaboot/pkg/offline"
)

// A verifier replays a list against the PCR values of a quote.
func ExampleVerify() {
	r, err := offline.Verify(&offline.Options{
		List: "../handover/testdata/ppc64le-three-kernels.bin",
		PCRs: []string{"sha256=0000000000000000000000000000000000000000000000000000000000000000"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Records, "records of", len(r.Hops), "kernels")
	fmt.Println(r.Err())
	// Output:
	// 17 records of 3 kernels
	// list-ahead-of-tpm: PCR 10: sha256 matches after record 0 of 17
}
