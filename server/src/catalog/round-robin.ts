/**
 * Tasks of several owners, taken in turn: each owner's first task once, then each owner's second one. However many tasks
 * one owner adds, the first task of another waits for at most one task of each owner.
 */
export class RoundRobin<Task> {
  /** In the order of their turns. No queue is empty. */
  readonly #queues = new Map<string, Task[]>();

  add(owner: string, task: Task): void {
    const queue = this.#queues.get(owner);
    if (queue === undefined) this.#queues.set(owner, [task]);
    else queue.push(task);
  }

  /** Removes and returns the next task; undefined: there is none. */
  take(): Task | undefined {
    const [next] = this.#queues;
    if (next === undefined) return undefined;
    const [owner, queue] = next;
    const task = queue.shift();
    this.#queues.delete(owner);
    if (queue.length > 0) this.#queues.set(owner, queue);
    return task;
  }

  /** The next task, which stays its owner's first one; the next turn is another owner's. */
  turn(): Task | undefined {
    const [next] = this.#queues;
    if (next === undefined) return undefined;
    const [owner, queue] = next;
    this.#queues.delete(owner);
    this.#queues.set(owner, queue);
    return queue[0];
  }

  /** Removes one task before its turn. Returns false where it is not waiting. */
  remove(owner: string, task: Task): boolean {
    const queue = this.#queues.get(owner);
    const at = queue?.indexOf(task) ?? -1;
    if (queue === undefined || at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(owner);
    return true;
  }
}
