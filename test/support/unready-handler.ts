/** A handler that never gets ready: its module throws, or hangs, with a timer that keeps its process alive. */
setInterval(() => {}, 60_000);
if (process.env['UNREADY'] === 'hangs') await new Promise(() => {});
throw new Error('not ready, as asked');
