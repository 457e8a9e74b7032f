package sim

import "time"

// Profile is a kind of link that has a name.
type Profile struct {
	Name string
	Link Link
}

// Profiles are links as one meets them: orders of magnitude, measured nowhere in
// particular. They lose messages now and then, as the network itself does.
func Profiles() []Profile {
	const ms = time.Millisecond
	return []Profile{
		{"local", Link{Latency: Constant(ms / 10), Bandwidth: 1e9}},
		{"datacenter", Link{Latency: Uniform(ms/2, 7*ms/10), Bandwidth: 10e9}},
		{"cross-region", Link{Latency: Exponential(50*ms, 5*ms), Loss: 0.0001, Bandwidth: 1e9}},
		{"internet", Link{Latency: Exponential(100*ms, 20*ms), Loss: 0.001, Bandwidth: 100e6}},
		{"satellite", Link{Latency: Exponential(600*ms, 50*ms), Loss: 0.005, Bandwidth: 10e6}},
		{"lossy", Link{Latency: Constant(10 * ms), Loss: 0.05, Bandwidth: 100e6}},
		{"slow", Link{Latency: Constant(500 * ms), Bandwidth: 1e6}},
		{"mobile-3g", Link{Latency: Exponential(100*ms, 30*ms), Loss: 0.005, Bandwidth: 2e6}},
		{"mobile-4g", Link{Latency: Exponential(50*ms, 15*ms), Loss: 0.001, Bandwidth: 20e6}},
	}
}

// ProfileNamed returns the link of a profile.
func ProfileNamed(name string) (l Link, ok bool) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p.Link, true
		}
	}
	return Link{}, false
}
