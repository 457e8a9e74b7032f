package sim

import (
	"errors"
	"iter"
	"time"
)

// ErrTimeout is what Call returns when no reply came in time. The request may
// have been served, or may yet be.
var ErrTimeout = errors.New("sim: no reply in time")

// Proc is a process that tells a story, such as a client: a coroutine that
// sleeps and calls. Processes never crash. The methods of a Proc may be used
// only inside the function that was given to Go.
type Proc struct {
	w     *World
	host  *host
	id    NodeID
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	story uint64 // identity that sends derive from
	steps uint64 // ordinal of the send in the story
	port  uint32 // of the latest call
	waits uint32 // port of the call that waits, or 0

	reply    Message
	from     NodeID
	answered bool
}

// Go adds a process that begins at once, in the order of events, and returns its
// number. The name is the identity of what it does before its first Begin, as
// with AddNode. Processes that have not ended when the world is done with must
// be ended by Stop, or their coroutines stay for ever.
func (w *World) Go(name string, story func(*Proc)) NodeID {
	p := &Proc{w: w, host: &host{name: name}}
	p.host.proc = p
	p.id = w.addHost(p.host)
	p.story = Key(p.host.key, forStory)
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		defer p.unwound()
		story(p)
	})
	w.live++
	w.push(evWake, event{at: w.now, id: p.story, to: Addr{Node: p.id}})
	return p.id
}

// stopped unwinds a process that the world stops.
type stopped struct{}

// unwound ends a process. A panic would leave the coroutine without its stack,
// so it is explained here.
func (p *Proc) unwound() {
	switch r := recover(); r.(type) {
	case nil, stopped:
	default:
		panic(p.w.explained(r))
	}
}

// Self returns the process's own number.
func (p *Proc) Self() NodeID { return p.id }

// Now returns the true time.
func (p *Proc) Now() time.Duration { return p.w.now }

// Begin starts a new part of the story, such as an operation: the random numbers
// that what follows meets derive from n and from nothing before, not even from
// the process. Parts of all processes of a world should have different n.
func (p *Proc) Begin(n uint64) {
	p.story = Key(forPart, n)
	p.steps = 0
}

// Sleep lets d of true time pass. Sleep(0) lets everything happen that is due
// now.
func (p *Proc) Sleep(d time.Duration) {
	p.w.push(evWake, event{at: p.w.in(d), id: p.story, to: Addr{Node: p.id}})
	p.wait()
}

// Call sends a request to a node and waits for its reply, from whichever node it
// comes, for less than timeout of true time: a reply at the very moment of the
// timeout is late. The only error is ErrTimeout.
func (p *Proc) Call(to NodeID, m Message, timeout time.Duration) (Message, error) {
	p.w.host(to)
	p.port++
	p.steps++
	p.waits = p.port
	id := Key(Key(p.story, forSend), p.steps)
	p.w.push(evTimeout, event{at: p.w.in(timeout), id: id, to: Addr{p.id, p.port}})
	p.w.send(Addr{p.id, p.port}, Addr{Node: to}, m, id, p.story)
	p.wait()
	m, p.reply = p.reply, nil
	if !p.answered {
		return nil, ErrTimeout
	}
	return m, nil
}

// From returns the node that the latest reply came from: not always the one that
// was called.
func (p *Proc) From() NodeID { return p.from }

func (p *Proc) wait() {
	if !p.yield(struct{}{}) {
		panic(stopped{})
	}
}

// waitsAt says whether a call waits for its reply at a port.
func (p *Proc) waitsAt(port uint32) bool { return port != 0 && p.waits == port }

func (p *Proc) answer(e *event) {
	p.reply, p.from, p.answered, p.waits = e.msg, e.from.Node, true, 0
	p.resume()
}

func (p *Proc) timeout(port uint32) {
	if p.waitsAt(port) {
		p.answered, p.waits = false, 0
		p.resume()
	}
}

func (p *Proc) resume() {
	was := p.w.active
	p.w.active = p.host
	if _, more := p.next(); !more {
		p.w.live--
	}
	p.w.active = was
}
