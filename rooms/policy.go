package rooms

// system is the row of the policy for the server itself and the REST API.
const system Role = "system"

// Names of the actions. Those without a wire message are given by the server or by REST.
const (
	ActCreate   = "create"
	ActOpen     = "open"
	ActCheckIn  = "check_in"
	ActAdmit    = "admit"
	ActJoin     = "join"
	ActHold     = "hold"
	ActResume   = "resume"
	ActReturn   = "return"
	ActRemove   = "remove"
	ActHandOver = "hand_over"
	ActInvite   = "invite"
	ActLeave    = "leave"
	ActLock     = "lock"
	ActEnd      = "end"
	ActNoShow   = "no_show"
	ActCancel   = "cancel"
	ActMove     = "move"
	ActTransfer = "transfer"
	ActReceive  = "receive"
	ActDepart   = "depart"
	ActSay      = "chat"
	ActReissue  = "reissue"
	ActRevoke   = "revoke"
	ActErase    = "erase"
)

var (
	byLink = set(ActOpen, ActCheckIn, ActLeave, ActSay)
	byDesk = set(ActAdmit, ActJoin, ActHold, ActResume, ActReturn, ActRemove, ActHandOver, ActInvite,
		ActLeave, ActLock, ActEnd, ActNoShow, ActCancel, ActMove, ActTransfer, ActSay)
)

// policy is the one table of who may do what. What an action may be done to is the action's own rule.
var policy = map[Role]map[string]bool{
	Patient:     byLink,
	Specialist:  byLink,
	Presenter:   byLink,
	Interpreter: byLink,
	Caregiver:   byLink,
	Observer:    set(ActOpen, ActCheckIn, ActLeave),
	Clinician:   byDesk,
	FrontDesk:   byDesk,
	// The system closes and prepares; it never lets anybody in.
	system: set(ActCreate, ActInvite, ActHold, ActRemove, ActLock, ActEnd, ActNoShow, ActCancel,
		ActReceive, ActDepart, ActReissue, ActRevoke, ActErase),
}

func set(names ...string) map[string]bool {
	s := make(map[string]bool, len(names))
	for _, n := range names {
		s[n] = true
	}
	return s
}

// May tells whether a role may do an action at all.
func May(role Role, action string) bool { return role.Valid() && policy[role][action] }
