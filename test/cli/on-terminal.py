"""Runs a program on a terminal of its own. Standard input has commands, a JSON array each: ["type", text],
["size", rows, columns], ["signal", number]. What the program shows goes to standard output as it is; the last
line of standard error is JSON: the exit code, and whether the terminal is as it was."""

import fcntl, json, os, pty, select, signal, struct, sys, termios


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


controller, terminal = pty.openpty()
resize(terminal, 24, 80)
before = termios.tcgetattr(terminal)
child = os.fork()
if child == 0:
    os.close(controller)
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(terminal, descriptor)
    os.execvp(sys.argv[1], sys.argv[1:])

commands = ""
inputs = [controller, 0]
status = None
while status is None:
    for ready in select.select(inputs, [], [], 0.05)[0]:
        if ready == controller:
            os.write(1, os.read(controller, 65536))
            continue
        piece = os.read(0, 65536).decode()
        if piece == "":
            inputs.remove(0)
        *lines, commands = (commands + piece).split("\n")
        for name, *args in map(json.loads, lines):
            if name == "type":
                os.write(controller, args[0].encode())
            elif name == "size":
                resize(terminal, *args)
                os.kill(child, signal.SIGWINCH)
            elif name == "signal":
                os.kill(child, args[0])
    done, waited = os.waitpid(child, os.WNOHANG)
    if done != 0:
        status = waited
while select.select([controller], [], [], 0.1)[0]:
    os.write(1, os.read(controller, 65536))
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"code": code, "restored": termios.tcgetattr(terminal) == before}), file=sys.stderr)
