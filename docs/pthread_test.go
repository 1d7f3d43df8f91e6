//go:build !windows

package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pthreadNames are the functions of POSIX.1-2024's pthread.h, sched.h and
// semaphore.h, of its signal.h those about threads, and of C11's threads.h.
const pthreadNames = `
	pthread_atfork pthread_attr_destroy pthread_attr_getdetachstate pthread_attr_getguardsize
	pthread_attr_getinheritsched pthread_attr_getschedparam pthread_attr_getschedpolicy pthread_attr_getscope
	pthread_attr_getstack pthread_attr_getstacksize pthread_attr_init pthread_attr_setdetachstate
	pthread_attr_setguardsize pthread_attr_setinheritsched pthread_attr_setschedparam
	pthread_attr_setschedpolicy pthread_attr_setscope pthread_attr_setstack pthread_attr_setstacksize
	pthread_barrier_destroy pthread_barrier_init pthread_barrier_wait pthread_barrierattr_destroy
	pthread_barrierattr_getpshared pthread_barrierattr_init pthread_barrierattr_setpshared pthread_cancel
	pthread_cleanup_pop pthread_cleanup_push pthread_cond_broadcast pthread_cond_clockwait
	pthread_cond_destroy pthread_cond_init pthread_cond_signal pthread_cond_timedwait pthread_cond_wait
	pthread_condattr_destroy pthread_condattr_getclock pthread_condattr_getpshared pthread_condattr_init
	pthread_condattr_setclock pthread_condattr_setpshared pthread_create pthread_detach pthread_equal
	pthread_exit pthread_getcpuclockid pthread_getschedparam pthread_getspecific pthread_join
	pthread_key_create pthread_key_delete pthread_kill pthread_mutex_clocklock pthread_mutex_consistent
	pthread_mutex_destroy pthread_mutex_getprioceiling pthread_mutex_init pthread_mutex_lock
	pthread_mutex_setprioceiling pthread_mutex_timedlock pthread_mutex_trylock pthread_mutex_unlock
	pthread_mutexattr_destroy pthread_mutexattr_getprioceiling pthread_mutexattr_getprotocol
	pthread_mutexattr_getpshared pthread_mutexattr_getrobust pthread_mutexattr_gettype
	pthread_mutexattr_init pthread_mutexattr_setprioceiling pthread_mutexattr_setprotocol
	pthread_mutexattr_setpshared pthread_mutexattr_setrobust pthread_mutexattr_settype pthread_once
	pthread_rwlock_clockrdlock pthread_rwlock_clockwrlock pthread_rwlock_destroy pthread_rwlock_init
	pthread_rwlock_rdlock pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock pthread_rwlock_tryrdlock
	pthread_rwlock_trywrlock pthread_rwlock_unlock pthread_rwlock_wrlock pthread_rwlockattr_destroy
	pthread_rwlockattr_getpshared pthread_rwlockattr_init pthread_rwlockattr_setpshared pthread_self
	pthread_setcancelstate pthread_setcanceltype pthread_setschedparam pthread_setschedprio
	pthread_setspecific pthread_sigmask pthread_spin_destroy pthread_spin_init pthread_spin_lock
	pthread_spin_trylock pthread_spin_unlock pthread_testcancel
	sigpending sigqueue sigtimedwait sigwait sigwaitinfo
	sem_clockwait sem_close sem_destroy sem_getvalue sem_init sem_open sem_post sem_timedwait sem_trywait
	sem_unlink sem_wait
	sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler sched_rr_get_interval
	sched_setparam sched_setscheduler sched_yield
	call_once cnd_broadcast cnd_destroy cnd_init cnd_signal cnd_timedwait cnd_wait mtx_destroy mtx_init
	mtx_lock mtx_timedlock mtx_trylock mtx_unlock thrd_create thrd_current thrd_detach thrd_equal thrd_exit
	thrd_join thrd_sleep thrd_yield tss_create tss_delete tss_get tss_set`

func TestPthreadPageIsComplete(t *testing.T) {
	named := map[string]bool{}
	for _, r := range rows(read(t, "docs/pthread.md")) {
		for _, span := range codeSpan.FindAllString(r.cells[0], -1) {
			named[strings.Trim(span, "`")] = true
		}
	}
	for name := range strings.FieldsSeq(pthreadNames) {
		assert.True(t, named[name], name)
	}
}

// Every Go name is exported by its package, and every C name is in a header.
func TestPthreadPageNamesWhatExists(t *testing.T) {
	exported := map[string]map[string]bool{}
	for name, folder := range map[string]string{"thread": ".", "osthread": "osthread", "shared": "osthread/shared"} {
		exported[name] = exports(t, folder)
	}
	headers, err := filepath.Glob(filepath.Join(root, "csrc", "ost_*.h"))
	require.NoError(t, err)
	var inC strings.Builder
	for _, h := range headers {
		inC.WriteString(read(t, "csrc/"+filepath.Base(h)))
	}
	goSpan := regexp.MustCompile(`^(thread|osthread|shared)\.([A-Z]\w*(?:\.[A-Z]\w*)?)$`)
	inGo, cNames := 0, 0
	for _, r := range rows(read(t, "docs/pthread.md")) {
		for _, span := range codeSpan.FindAllString(strings.Join(r.cells[1:], " "), -1) {
			name := strings.Trim(span, "`")
			if m := goSpan.FindStringSubmatch(name); m != nil {
				inGo++
				assert.True(t, exported[m[1]][m[2]], "%s: %s", r.cells[0], name)
			}
			if strings.HasPrefix(name, "ost_") {
				cNames++
				assert.Regexp(t, `\b`+name+`\b`, inC.String(), r.cells[0])
			}
		}
	}
	assert.Greater(t, inGo, 60)
	assert.Greater(t, cNames, 30)
}
