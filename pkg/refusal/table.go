// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package refusal

import "slices"

// Match is no refusal: the list replays to PCR 10.
const Match Name = "match"

// All names. Codes have classes: 2 to 9 the call, 10 to 19 the target, 20 to 29
// the verdict on the list, 30 to 38 what was carried and the policy, 39 to 42
// the event log, 43 to 59 discovery, 60 to 69 the running system, 70 to 79 more
// verdicts on the list.
const (
	Other               Name = "error"
	Usage               Name = "usage"
	NotPrivileged       Name = "not-privileged"
	NoSecurityfs        Name = "no-securityfs"
	NoIMA               Name = "no-ima"
	DamagedList         Name = "damaged-list"
	BadPCR              Name = "bad-pcr"
	BadFile             Name = "bad-file"
	NotKernel           Name = "not-a-kernel"
	BadCommandLine      Name = "bad-command-line"
	BadDeviceTree       Name = "bad-device-tree"
	NoRoom              Name = "no-room"
	UnknownArch         Name = "unknown-architecture"
	LoadRefused         Name = "load-refused"
	NothingLoaded       Name = "nothing-loaded"
	TooLarge            Name = "too-large"
	NoTPM               Name = "no-tpm"
	ListAhead           Name = "list-ahead-of-tpm"
	TPMAhead            Name = "tpm-ahead-of-list"
	Tampered            Name = "tampered"
	BankNotReplayable   Name = "bank-not-replayable"
	CannotBeCarried     Name = "cannot-be-carried"
	NotRestored         Name = "not-restored-by-target"
	KeepsGrowing        Name = "keeps-growing"
	OtherByteOrder      Name = "other-byte-order"
	NotInitramfs        Name = "not-an-initramfs"
	CarriedDamaged      Name = "carried-damaged"
	CarriedVersion      Name = "carried-version"
	CarriedForeign      Name = "carried-foreign"
	CarriedLost         Name = "carried-lost"
	PolicyRefused       Name = "policy-refused"
	PolicyFixed         Name = "policy-fixed"
	PolicyBusy          Name = "policy-busy"
	NotMeasured         Name = "not-measured"
	NotPredictable      Name = "not-predictable"
	EventLogDamaged     Name = "event-log-damaged"
	EventLogUnexplained Name = "event-log-unexplained"
	EventLogNotCarried  Name = "event-log-not-carried"
	NotExtended         Name = "not-extended"
	NothingToBoot       Name = "nothing-to-boot"
	ServerSilent        Name = "server-silent"
	ServerLacksFile     Name = "server-lacks-file"
	ServerRefused       Name = "server-refused"
	DownloadTooBig      Name = "download-too-big"
	WrongChecksum       Name = "wrong-checksum"
	BadCertificate      Name = "bad-certificate"
	BadEntry            Name = "bad-entry"
	JobInProgress       Name = "job-in-progress"
	BadState            Name = "bad-state"
	Interrupted         Name = "interrupted"
	InternalError       Name = "internal-error"
	NoSafePlace         Name = "no-safe-place"
	UnknownMachine      Name = "machine-not-understood"
	UnprovenRecords     Name = "unproven-records"
	TPMReset            Name = "tpm-was-reset"
	AggregateMismatch   Name = "boot-aggregate-mismatch"
)

const otherCode = 1

// A Row says what follows from a name.
type Row struct {
	Name Name
	// Code is the exit code of the command.
	Code int
	// Another: a menu may try its next entry.
	Another bool
	// Means is what the manual says.
	Means string
}

var table = []Row{
	{Other, otherCode, true, "any other error"},
	{Usage, 2, false, "the arguments or the configuration file are wrong"},
	{NotPrivileged, 3, false, "imaboot does not run as root"},
	{NoSecurityfs, 4, false, "securityfs is not mounted"},
	{NoIMA, 5, false, "the running kernel has no IMA"},
	{DamagedList, 6, false, "the list is cut short or corrupt; the message names file, record and offset"},
	{BadPCR, 7, false, "a PCR value is malformed"},
	{BadFile, 8, true, "a file of the target cannot be read, or changed while it was in use"},
	{NotKernel, 9, true, "the image is not a kernel for this machine"},
	{BadCommandLine, 10, true, "the command line is too long for the target, is not ASCII where it must be, or has a control character; or --append cannot add to it"},
	{BadDeviceTree, 11, true, "the device tree is broken, or one was given on an architecture that has none"},
	{NoRoom, 12, true, "there is no room in memory for a segment; the memory map is printed"},
	{UnknownArch, 13, false, "the architecture is not supported"},
	{LoadRefused, 14, false, "the kernel refused to load; the message says why and what to do"},
	{NothingLoaded, 15, false, "nothing is loaded that exec could jump to"},
	{TooLarge, 16, true, "a file of the target, or what it unpacks to, needs more memory than is left; the message names file, size and what is left"},
	{NoSafePlace, 17, true, "no place in memory keeps the list out of reach of the target's KASLR; the memory map is printed"},
	{NoTPM, 20, false, "there is no TPM, or it stopped answering"},
	{ListAhead, 21, false, "the list is ahead of the TPM: a record was not extended"},
	{TPMAhead, 22, false, "the TPM is ahead of the list: records were lost or deleted, or something else extended the PCR"},
	{Tampered, 23, false, "the digest of a record does not match its data"},
	{BankNotReplayable, 24, false, "one bank matches and another does not, or the TPM has only banks that imaboot cannot replay"},
	{CannotBeCarried, 25, true, "the next kernel would drop or damage a record; the message names it"},
	{NotRestored, 26, true, "the list would not arrive: the target cannot restore one, does not unpack an initramfs, or mounts root= over it"},
	{KeepsGrowing, 27, false, "the list keeps growing while it is being loaded, or a PCR keeps changing while it is being read"},
	{OtherByteOrder, 28, true, "the list's byte order differs from that of the target, or a carried list's from that of the running kernel"},
	{NotInitramfs, 29, true, "no list can be put in front of this initrd: it is not an initramfs, or it already holds a list"},
	{CarriedDamaged, 30, false, "the list that came as a file is damaged"},
	{CarriedVersion, 31, false, "the list that came as a file has a version that this imaboot does not know"},
	{CarriedForeign, 32, false, "the list that came as a file does not belong to this boot"},
	{CarriedLost, 33, false, "a list was sent to this kernel but is missing: the file is gone, or the kernel did not restore the list"},
	{PolicyRefused, 34, false, "the kernel rejects the IMA policy; the message names line and reason"},
	{PolicyFixed, 35, false, "the kernel already has an IMA policy and does not accept a second one"},
	{PolicyBusy, 36, false, "another program is writing an IMA policy"},
	{NotMeasured, 37, true, "the content of a file of the target is in no record (--require-measured)"},
	{NotPredictable, 38, false, "the kernel measures the jump itself, and imaboot cannot predict that record"},
	{EventLogDamaged, 39, false, "the event log is damaged; the message names event and offset"},
	{EventLogUnexplained, 40, false, "the event log does not lead to the values of PCRs 8 and 9, or lacks a bank"},
	{EventLogNotCarried, 41, true, "the event log would not arrive"},
	{NotExtended, 42, false, "the TPM refuses to extend, or has a bank that imaboot cannot compute"},
	{NothingToBoot, 43, false, "nothing to boot was found, or nothing that --entry names"},
	{ServerSilent, 44, true, "a server did not answer in time"},
	{ServerLacksFile, 45, true, "a server does not have the file"},
	{ServerRefused, 46, true, "a server refuses the request, or redirects too often"},
	{DownloadTooBig, 47, true, "a file on the network is too large"},
	{WrongChecksum, 48, true, "a download does not match its --checksum"},
	{BadCertificate, 49, true, "a server's certificate cannot be verified"},
	{BadEntry, 50, true, "a file that an entry names cannot be used"},
	{JobInProgress, 60, false, "another imaboot is loading or jumping"},
	{BadState, 61, false, "the note of what is loaded is damaged, or another user can have written it"},
	{Interrupted, 62, false, "imaboot was interrupted while it waited"},
	{InternalError, 63, false, "imaboot has a fault of its own; please report the message"},
	{UnknownMachine, 64, false, "the running kernel does not tell what the next one has to know, or cannot start one; the message names it"},
	{UnprovenRecords, 70, false, "all PCRs that were compared match, but they do not prove all records; the message counts them"},
	{TPMReset, 71, false, "the PCR is that of the last kernels alone: the TPM was reset between two kernels"},
	{AggregateMismatch, 72, false, "the first kernel's boot_aggregate is not the digest of PCRs 0 to 9, although the list matches"},
}

// Table returns all rows, by code.
func Table() []Row { return slices.Clone(table) }
