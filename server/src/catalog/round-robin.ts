/**
 * Tasks of several owners in turn: each owner's first task, then each owner's second one, and so on. However
 * many tasks one owner adds, the first task of another owner waits for at most one task of each owner.
 */
export class RoundRobin<Task> {
  /** Queues in the order of their turns. None is empty. */
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

  /** Returns the next task, which stays the first of its owner. The next turn belongs to another owner. */
  turn(): Task | undefined {
    const [next] = this.#queues;
    if (next === undefined) return undefined;
    const [owner, queue] = next;
    this.#queues.delete(owner);
    this.#queues.set(owner, queue);
    return queue[0];
  }

  /** Removes a task before its turn. Returns false where it is not waiting. */
  remove(owner: string, task: Task): boolean {
    const queue = this.#queues.get(owner);
    const at = queue?.indexOf(task) ?? -1;
    if (queue === undefined || at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(owner);
    return true;
  }
}
