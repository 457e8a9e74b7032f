package checker

// order is a set of demands that one thing comes before another. They can all
// be met if and only if they form no circle.
type order struct {
	latest []int32 // by node, its latest demand, or none
	edges  []demand
}

// demand says that the node it is listed at comes before another one, because
// an operation comes before another. Some nodes stand for nothing but what came
// before in a session; a path through them begins with a demand that knows the
// first operation, and ends with one that knows the second.
type demand struct {
	to, next      int32
	before, after int32 // operations, or none
	why           Guarantee
}

func (g *order) reset() { g.latest, g.edges = g.latest[:0], g.edges[:0] }

func (g *order) node() int32 {
	g.latest = append(g.latest, none)
	return int32(len(g.latest) - 1)
}

func (g *order) demand(from, to, before, after int32, why Guarantee) {
	g.edges = append(g.edges, demand{to, g.latest[from], before, after, why})
	g.latest[from] = int32(len(g.edges) - 1)
}

// circle returns nodes that lie on a circle, none if there is no circle.
func (g *order) circle() []int32 {
	const (
		fresh = iota
		open
		done
	)
	state := make([]uint8, len(g.latest))
	at := append([]int32(nil), g.latest...) // the next demand to look at
	var path []int32
	for n := range g.latest {
		if state[n] != fresh {
			continue
		}
		state[n], path = open, append(path[:0], int32(n))
		for len(path) > 0 {
			x := path[len(path)-1]
			e := at[x]
			if e == none {
				state[x], path = done, path[:len(path)-1]
				continue
			}
			at[x] = g.edges[e].next
			switch to := g.edges[e].to; state[to] {
			case fresh:
				state[to], path = open, append(path, to)
			case open:
				for path[0] != to {
					path = path[1:]
				}
				return path
			}
		}
	}
	return nil
}

// around returns the demands of a shortest circle through node n, or nil.
func (g *order) around(n int32) []int32 {
	by := make([]int32, len(g.latest)) // by node, the demand that led there
	from := make([]int32, len(g.edges))
	for x := range g.latest {
		by[x] = none
		for e := g.latest[x]; e != none; e = g.edges[e].next {
			from[e] = int32(x)
		}
	}
	for queue := []int32{n}; len(queue) > 0 && by[n] == none; queue = queue[1:] {
		for e := g.latest[queue[0]]; e != none; e = g.edges[e].next {
			if to := g.edges[e].to; by[to] == none {
				by[to] = e
				queue = append(queue, to)
			}
		}
	}
	if by[n] == none {
		return nil
	}
	list := []int32{by[n]}
	for x := from[by[n]]; x != n; x = from[by[x]] {
		list = append(list, by[x])
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}
