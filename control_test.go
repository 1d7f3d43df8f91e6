package thread

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var classes = []QoS{QoSBackground, QoSUtility, QoSDefault, QoSUserInitiated, QoSUserInteractive}

func TestQoSExcludesAPolicy(t *testing.T) {
	for _, q := range classes {
		assert.NoError(t, refuseQoS(q, PolicyInherit))
		for p := PolicyOther; p <= PolicyIdle; p++ {
			err := refuseQoS(q, p)
			assert.ErrorIs(t, err, syscall.EINVAL)
			assert.ErrorContains(t, err, q.String())
			assert.ErrorContains(t, err, p.String())
		}
	}
	for _, q := range []QoS{-1, QoSUserInteractive + 1} {
		assert.ErrorIs(t, refuseQoS(q, PolicyInherit), syscall.EINVAL)
		assert.Error(t, (&Attr{QoS: q}).Check(), "EINVAL where there are classes, else unsupported")
	}
	if !osQoS {
		return
	}
	assert.ErrorIs(t, (&Attr{QoS: QoSUtility, Policy: PolicyRR, Priority: 40}).Check(), syscall.EINVAL)
	run(t, &Attr{QoS: QoSUtility}, func() {
		require.NoError(t, Current().SetPriority(PolicyOther, 0))
		q, err := Current().QoS()
		assert.NoError(t, err)
		assert.Equal(t, QoSUnspecified, q, "a priority takes the thread out of the classes")
	})
}

func TestQoSHasNames(t *testing.T) {
	assert.Equal(t, "unspecified", QoSUnspecified.String())
	assert.Equal(t, "user-interactive", QoSUserInteractive.String())
	assert.Equal(t, "QoS(6)", QoS(6).String())
	assert.Equal(t, "QoS(-1)", QoS(-1).String())
}
