package replication

// Features of the protocols that a run may reach or not. Nodes count them
// (sim.Env.Count), so that who runs many scenarios can tell what they exercised.
const (
	ReachedFailover    = "failover"             // a configuration with another primary or head than the one before
	ReachedRemoval     = "member removed"       // a configuration without a member of the one before
	ReachedAddition    = "member added"         // a configuration with a member that the one before had not
	ReachedLostDisk    = "lost disk noticed"    // by the master: a replica has forgotten its promise
	ReachedOldMessage  = "old message refused"  // a replica got a message of another configuration
	ReachedRedirect    = "client redirected"    // it asked a node that is not the one to ask
	ReachedRefusal     = "client refused"       // it asked a node that can't serve at the moment: deposed, without a lease, or not caught up
	ReachedStaleClient = "stale client refused" // it asked a node that has left the configuration which it was in
	ReachedLeaseEnd    = "lease ran out"        // a client was refused because of that
	ReachedRetry       = "retry recognised"     // a request came again, and was not done again
	ReachedStraggler   = "straggler ignored"    // a request came when its client had gone on
	ReachedRollback    = "updates taken back"   // of a log, because the others do not have them
	ReachedResend      = "updates sent again"   // because they were not acknowledged
	ReachedTransfer    = "state transferred"    // to a replica that was outside
	ReachedDirtyRead   = "dirty read"           // a read for which the tail had to be asked
	ReachedConflict    = "conflict"             // a leader met concurrent versions
	ReachedAntiEntropy = "anti-entropy repair"  // it brought a version that was lacking
	ReachedTombstone   = "deletion replicated"  // a leader learnt of a deletion
)
