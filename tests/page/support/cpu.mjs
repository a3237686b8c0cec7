/** Milliseconds of CPU that `work` takes: on a busy machine the same as on a quiet one. */
export function cpuTime(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
