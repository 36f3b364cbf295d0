/*
 * Preloaded into a program (LD_PRELOAD), makes it see a processor with AVX2 and nothing newer: every library in it then takes
 * the code that it has for such a processor. Linux on x86-64 alone, and there only where the processor can trap CPUID.
 *
 * The kernel is asked to raise SIGSEGV at each CPUID instruction. The handler lets the instruction run, takes away the bits of what is to be
 * hidden, and goes on behind it. XGETBV is not trapped: nobody asks it without the bits of CPUID.
 *
 * Where the processor cannot trap CPUID, a library can have breakpoints in place of its CPUID instructions (cpuid-breakpoints.ts
 * writes them): they raise SIGTRAP, which is answered in the same way. AVX2_ONLY_UNTRAPPED in the environment says that this is so.
 * Without it the program ends with status 71 and a line on standard error.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* asm/prctl.h has it; its name there needs kernel headers that not every machine has. */
#define SET_CPUID_ALLOWED 0x1012
#define STATUS_CANNOT_TRAP 71
#define BIT(n) (1u << (n))

typedef int (*sigaction_function)(int, const struct sigaction *, struct sigaction *);

/* What each leaf must not show, by register. Names of the bits are those of Intel's manual, volume 2A, CPUID. */
struct hidden {
  uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};

static const struct hidden HIDDEN[] = {
    {7, 0, 0,
     /* AVX512F, DQ, IFMA, PF, ER, CD, BW, VL */
     BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
     /* AVX512_VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
     BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
     /* AVX512_4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, AVX512-FP16, AMX-TILE, AMX-INT8 */
     BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25)},
    {7, 1,
     /* AVX-VNNI, AVX512_BF16, AMX-FP16, AVX-IFMA */
     BIT(4) | BIT(5) | BIT(21) | BIT(23), 0, 0,
     /* AVX-VNNI-INT8, AVX-NE-CONVERT, AMX-COMPLEX, AVX-VNNI-INT16, AVX10 */
     BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19)},
    /* The state that XSAVE can keep: only x87, SSE and AVX remain. */
    {13, 0, ~(BIT(0) | BIT(1) | BIT(2)), 0, 0, 0},
    /* AVX10's own leaf. */
    {36, 0, ~0u, ~0u, ~0u, ~0u},
};

static sigaction_function system_sigaction;
/* The program's own handlers of the signals that are taken here, by signal, e.g. Node's for WebAssembly's traps. */
static struct sigaction wanted[NSIG];
static pthread_mutex_t wanted_lock = PTHREAD_MUTEX_INITIALIZER;

static int is_taken(int number) {
  return number == SIGSEGV || number == SIGTRAP;
}

static long allow_cpuid(unsigned long allowed) {
  return syscall(SYS_arch_prctl, SET_CPUID_ALLOWED, allowed);
}

static void hide(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]) {
  for (size_t i = 0; i < sizeof HIDDEN / sizeof *HIDDEN; i++) {
    const struct hidden *each = &HIDDEN[i];
    if (each->leaf != leaf || each->subleaf != subleaf) continue;
    registers[0] &= ~each->eax;
    registers[1] &= ~each->ebx;
    registers[2] &= ~each->ecx;
    registers[3] &= ~each->edx;
  }
}

static void run_cpuid(greg_t *registers) {
  uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX], found[4];
  allow_cpuid(1);
  __asm__ volatile("cpuid" : "=a"(found[0]), "=b"(found[1]), "=c"(found[2]), "=d"(found[3]) : "a"(leaf), "c"(subleaf));
  allow_cpuid(0);
  hide(leaf, subleaf, found);
  registers[REG_RAX] = found[0];
  registers[REG_RBX] = found[1];
  registers[REG_RCX] = found[2];
  registers[REG_RDX] = found[3];
  registers[REG_RIP] += 2;
}

/* Any other fault is the program's own: as if this library were not there. */
static void hand_on(int number, siginfo_t *info, void *context) {
  const struct sigaction *own = &wanted[number];
  if (own->sa_flags & SA_SIGINFO) {
    own->sa_sigaction(number, info, context);
  } else if (own->sa_handler != SIG_DFL && own->sa_handler != SIG_IGN) {
    own->sa_handler(number);
  } else {
    /* The same signal once more, without a handler: a breakpoint does not come back by itself. */
    struct sigaction none;
    memset(&none, 0, sizeof none);
    none.sa_handler = SIG_DFL;
    system_sigaction(number, &none, NULL);
    if (number == SIGTRAP) raise(SIGTRAP);
  }
}

static void on_fault(int number, siginfo_t *info, void *context) {
  int error = errno;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  /* A trapped CPUID is a general protection fault, which has no address: the code at RIP can be read, or it had not run. */
  int is_call_of_nothing = registers[REG_RIP] == (greg_t)(uintptr_t)info->si_addr && info->si_code == SEGV_MAPERR;
  const uint8_t *code = (const uint8_t *)(uintptr_t)registers[REG_RIP];
  if (!is_call_of_nothing && code[0] == 0x0f && code[1] == 0xa2) {
    run_cpuid(registers);
  } else {
    hand_on(number, info, context);
  }
  errno = error;
}

/* RIP stands behind the breakpoint, which is followed by a NOP: together they are as long as a CPUID. */
static void on_breakpoint(int number, siginfo_t *info, void *context) {
  int error = errno;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *code = (const uint8_t *)(uintptr_t)registers[REG_RIP];
  if (info->si_code == SI_KERNEL && code[-1] == 0xcc && code[0] == 0x90) {
    registers[REG_RIP] -= 1;
    run_cpuid(registers);
  } else {
    hand_on(number, info, context);
  }
  errno = error;
}

/* In place of the system's: the program's handlers of the signals taken here are noted, and ours stay. */
int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
  if (system_sigaction == NULL) system_sigaction = (sigaction_function)dlsym(RTLD_NEXT, "sigaction");
  if (!is_taken(number)) return system_sigaction(number, action, before);
  pthread_mutex_lock(&wanted_lock);
  if (before != NULL) *before = wanted[number];
  if (action != NULL) wanted[number] = *action;
  pthread_mutex_unlock(&wanted_lock);
  return 0;
}

static void take(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction ours;
  memset(&ours, 0, sizeof ours);
  ours.sa_sigaction = handler;
  /* Not deferred: what a handler of the program calls may ask the processor, too. */
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  system_sigaction(number, &ours, &wanted[number]);
}

/* Runs before the C library has set its own variables up: the environment comes as an argument. */
__attribute__((constructor)) static void begin(int count, char **arguments, char **environment) {
  (void)count, (void)arguments;
  if (system_sigaction == NULL) system_sigaction = (sigaction_function)dlsym(RTLD_NEXT, "sigaction");
  take(SIGSEGV, on_fault);
  take(SIGTRAP, on_breakpoint);
  if (allow_cpuid(0) == 0) return;
  for (char **each = environment; *each != NULL; each++) {
    if (strncmp(*each, "AVX2_ONLY_UNTRAPPED=", 20) == 0) return;
  }
  fprintf(stderr, "CPUID cannot be trapped here: %s\n", strerror(errno));
  _exit(STATUS_CANNOT_TRAP);
}
