// Package browsertest opens pages in a real browser, and uses them as a reader
// would. It is a module of its own, so that who uses Rashomon does not get a driver
// of browsers along with it:
//
//	cd report/browsertest && go test ./...
//
// The browser is the one that RASHOMON_BROWSER names, or a Chromium of the machine.
// Without one the tests skip.
package browsertest
