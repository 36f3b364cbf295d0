/*
 * Prints what CPUID says of leaf 7, in hexadecimal, one word per line: EAX to EDX of subleaf 0, then of subleaf 1.
 *
 * plain: by the instruction. fault: by an instruction that faults as a trapped one does, since it lies on a page that is not
 * executable, with the page behind it, which is. handled: writes to nowhere, with a handler of its own that says so and ends
 * with status 3. unhandled: the same without one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void (*ask_function)(void);
static ask_function faulting;

static void prepare(void) {
  long page = sysconf(_SC_PAGESIZE);
  uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(pages + page - 2, "\x0f\xa2", 2);
  pages[page] = 0xc3;
  mprotect(pages + page, page, PROT_READ | PROT_EXEC);
  mprotect(pages, page, PROT_READ);
  faulting = (ask_function)(uintptr_t)(pages + page - 2);
}

static void print(uint32_t subleaf, int fault) {
  uint32_t a, b, c, d;
  if (fault)
    __asm__ volatile("call *%4" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "r"(faulting), "a"(7), "c"(subleaf) : "memory");
  else
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(subleaf));
  printf("%08x\n%08x\n%08x\n%08x\n", a, b, c, d);
}

static void own_handler(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  static const char words[] = "handled\n";
  if (write(1, words, sizeof words - 1) < 0) _exit(4);
  _exit(3);
}

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "plain";
  if (strcmp(what, "handled") == 0) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = own_handler;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
  }
  if (strcmp(what, "handled") == 0 || strcmp(what, "unhandled") == 0) *(volatile int *)16 = 1;
  prepare();
  for (uint32_t subleaf = 0; subleaf < 2; subleaf++) print(subleaf, strcmp(what, "fault") == 0);
  return 0;
}
