package rooms

// Actions that let people be together, and that part them. An empty Seat of Hold and Resume means
// every seat by link that is admitted, or held. A seat of staff is nobody's but its own.
type (
	// Admit lets a waiting seat in, and the staff who admit with it.
	Admit struct {
		Seat SeatID `json:"seat"`
	}
	// Join takes a seat of one's own in a visit under way, for staff.
	Join struct{}
	// Hold parts a seat from the others; the patient's puts the visit on hold.
	Hold struct {
		Seat SeatID `json:"seat,omitempty"`
	}
	// Resume ends a hold; the staff who resume are in the visit.
	Resume struct {
		Seat SeatID `json:"seat,omitempty"`
	}
	// Return sends a seat back to wait, in its old place. Staff left with nobody leave the visit.
	Return struct {
		Seat SeatID `json:"seat"`
	}
	// Remove ends a seat for good; its links die.
	Remove struct {
		Seat SeatID `json:"seat"`
	}
	// HandOver gives the visit to other staff of the room, who must Join; the patient is held meanwhile.
	// Whether To works in this room is the caller's to check.
	HandOver struct {
		To     StaffID `json:"to"`
		ToName string  `json:"to_name"`
		Role   Role    `json:"role"`
	}
)

// Name of the action.
func (Admit) Name() string { return ActAdmit }

func (a Admit) apply(c *change) error {
	s, err := c.target(a.Seat)
	if err != nil {
		return err
	}
	switch s.State {
	case SeatWaiting:
	case SeatAdmitted, SeatHeld:
		return alreadyAdmitted(c.old, s.AdmittedBy)
	default:
		return ErrNotWaiting
	}
	if err := c.takeSeat(); err != nil {
		return err
	}
	c.editSeat(s.ID).admit(c.who.staff, c.now)
	if v := c.edit(); v.StartedAt.IsZero() {
		v.StartedAt = c.now
	}
	return nil
}

func alreadyAdmitted(v *Visit, by StaffID) error {
	e := *ErrAlreadyAdmitted
	if s, ok := v.StaffSeat(by); ok {
		e.By = s.Name
	}
	return &e
}

// Name of the action.
func (Join) Name() string { return ActJoin }

func (Join) apply(c *change) error {
	if c.old.Phase != PhaseActive && c.old.Phase != PhaseHeld {
		return ErrNotAdmitted.with("the visit is not under way")
	}
	if s := c.who.seat; s != nil && s.admitted() {
		return nil
	}
	return c.takeSeat()
}

// Name of the action.
func (Hold) Name() string { return ActHold }

func (a Hold) apply(c *change) error {
	ids, err := c.targets(a.Seat, SeatAdmitted, ErrNotAdmitted)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c.editSeat(id).hold(c.now)
	}
	return nil
}

// Name of the action.
func (Resume) Name() string { return ActResume }

func (a Resume) apply(c *change) error {
	ids, err := c.targets(a.Seat, SeatHeld, ErrNotHeld)
	if err != nil {
		return err
	}
	if err := c.takeSeat(); err != nil {
		return err
	}
	for _, id := range ids {
		c.editSeat(id).admit(c.who.staff, c.now)
	}
	return nil
}

// Name of the action.
func (Return) Name() string { return ActReturn }

func (a Return) apply(c *change) error {
	s, err := c.target(a.Seat)
	if err != nil {
		return err
	}
	if s.State != SeatAdmitted && s.State != SeatHeld {
		return ErrNotAdmitted
	}
	c.editSeat(s.ID).State = SeatWaiting
	v := c.edit()
	if v.patientState() == SeatHeld || count(v.Seats, func(s *Seat) bool { return s.Staff == "" && s.admitted() }) > 0 {
		return nil
	}
	for i := range v.Seats {
		if s := &v.Seats[i]; s.admitted() {
			s.leave(c.now)
		}
	}
	return nil
}

// Name of the action.
func (Remove) Name() string { return ActRemove }

func (a Remove) apply(c *change) error {
	s, err := c.target(a.Seat)
	if err != nil {
		return err
	}
	e := c.editSeat(s.ID)
	e.State, e.LeftAt = SeatRemoved, c.now
	e.LinkGen++
	return nil
}

// Name of the action.
func (HandOver) Name() string { return ActHandOver }

func (a HandOver) apply(c *change) error {
	switch own := c.who.seat; {
	case own == nil || !own.admitted():
		return ErrNotAdmitted
	case a.To == "" || a.To == c.who.staff || !a.Role.Staff() || !line(a.ToName, 1, MaxName):
		return ErrBadValue.with("to whom")
	}
	c.editSeat(c.who.seat.ID).leave(c.now)
	to, err := c.staffSeat(a.To, a.ToName, a.Role)
	if err != nil {
		return err
	}
	if !to.admitted() {
		to.State = SeatExpected
	}
	c.made = to.ID
	v := c.edit()
	if p := v.Patient(); p != nil && p.admitted() {
		c.editSeat(p.ID).hold(c.now)
	}
	v.Expected = replaced(v.Expected, c.who.staff, a.To)
	return nil
}

// replaced is a copy in which one of the expected staff stands for another.
func replaced(expected []StaffID, old, next StaffID) []StaffID {
	list := make([]StaffID, 0, len(expected)+1)
	for _, id := range expected {
		if id != old && id != next {
			list = append(list, id)
		}
	}
	return append(list, next)
}
