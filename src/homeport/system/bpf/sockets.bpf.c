/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* One record for every TCP and UDP socket descriptor of every process: who holds it, and what the socket is.
 *
 * An iterator over descriptor tables, which holds a reference on each file while the program looks at it. Linux 5.12 is
 * the first that gives such a program all of its helpers.
 *
 * What is asked stands in the storage of the reading thread, so that readers of one pinned iterator do not mix, and
 * nothing stays behind when a reader dies. Without a filter everything is told; the filter only spares work, the reader
 * applies it again.
 */
#include "kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define TCP_CLOSE 7
#define TCP_LISTEN 10

/* The version in the upper half, the size in the lower: wire/bpf_records.py has the same. */
#define MARK (1u << 16 | sizeof(struct record))

#define FLAG_V6ONLY 1
#define FLAG_QUEUES 2 /* the queues are known */
#define FLAG_THREAD 4 /* from the table of a thread that does not share its leader's: it may come twice */

struct record {
	__u32 mark;
	__u32 pid;   /* as the reader's PID namespace numbers it */
	__u64 start; /* boot to start of the process, ns, in the reader's time namespace */
	__u64 inode;
	__u64 cookie;
	__u32 fd;
	__u32 netns;
	__u32 uid;
	__u32 interface;
	__u32 receive_queue;
	__u32 send_queue;
	__u16 port; /* host byte order, as the next */
	__u16 peer_port;
	__u8 family;
	__u8 protocol;
	__u8 state;
	__u8 flags;
	__u8 address[16]; /* network byte order; IPv4 in the first four bytes */
	__u8 peer[16];
};
_Static_assert(sizeof(struct record) == 96, "the layout is an interface");

#define WANT_TCP 1
#define WANT_UDP 2
#define WANT_CONNECTIONS 4
#define WANT_PORTS 8 /* only ports whose low 12 bits are set in `ports` */

struct filter {
	__u64 wanted;
	__u64 ports[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct filter);
} filters SEC(".maps");

static __always_inline int wanted(struct filter *filter, int udp, __u8 state, __u16 port)
{
	if (!filter)
		return 1;
	if (!(filter->wanted & (udp ? WANT_UDP : WANT_TCP)))
		return 0;
	if (!(filter->wanted & WANT_CONNECTIONS) && state != (udp ? TCP_CLOSE : TCP_LISTEN))
		return 0;
	return !(filter->wanted & WANT_PORTS) || filter->ports[port >> 6 & 63] >> (port & 63) & 1;
}

/* Who holds the descriptor: the process that `task` belongs to.
 *
 * Pointers are followed by BPF_CORE_READ on purpose: for each plain step from a trusted pointer the verifier searches all
 * names of the kernel's BTF, which costs a millisecond of load time.
 */
static __always_inline void holder(struct record *out, struct task_struct *task, struct task_struct *reader)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u64 level = BPF_CORE_READ(reader, thread_pid, level);

	/* the number that the reader's PID namespace gives it; 0 when it has ended meanwhile */
	bpf_probe_read_kernel(&out->pid, sizeof(out->pid),
			      (void *)&pid->numbers[0].nr + level * bpf_core_type_size(struct upid));
	out->start = BPF_CORE_READ(leader, start_boottime);
	if (bpf_core_field_exists(struct time_namespace, offsets)) { /* as field 22 of /proc/PID/stat */
		struct time_namespace *time = BPF_CORE_READ(reader, nsproxy, time_ns);

		out->start += BPF_CORE_READ(time, offsets.boottime.tv_sec) * 1000000000ull;
		out->start += BPF_CORE_READ(time, offsets.boottime.tv_nsec);
	}
	if (task->pid != task->tgid)
		out->flags |= FLAG_THREAD;
}

static __always_inline void addresses(struct record *out, struct sock *sk)
{
	if (out->family == AF_INET) {
		*(__be32 *)out->address = sk->__sk_common.skc_rcv_saddr;
		*(__be32 *)out->peer = sk->__sk_common.skc_daddr;
		return;
	}
	bpf_probe_read_kernel(out->address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_probe_read_kernel(out->peer, 16, &sk->__sk_common.skc_v6_daddr);
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only))
		out->flags |= FLAG_V6ONLY;
}

static __always_inline void tcp_queues(struct record *out, struct sock *sk)
{
	struct tcp_sock *tcp;
	__s32 received;

	if (out->state == TCP_LISTEN) {
		out->receive_queue = sk->sk_ack_backlog;
		out->send_queue = sk->sk_max_ack_backlog;
	} else {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return;
		received = tcp->rcv_nxt - tcp->copied_seq;
		out->receive_queue = received > 0 ? received : 0; /* a FIN counts as a byte that nobody copies */
		out->send_queue = tcp->write_seq - tcp->snd_una;
	}
	out->flags |= FLAG_QUEUES;
}

/* A multipath listener takes connections through its first subflow. */
static __always_inline void mptcp_queues(struct record *out, struct sock *sk)
{
	struct sock *first = 0;

	if (out->state != TCP_LISTEN || !bpf_core_field_exists(struct mptcp_sock, first))
		return;
	bpf_probe_read_kernel(&first, sizeof(first), &((struct mptcp_sock *)sk)->first);
	if (!first)
		return;
	bpf_probe_read_kernel(&out->receive_queue, sizeof(__u32), &first->sk_ack_backlog);
	bpf_probe_read_kernel(&out->send_queue, sizeof(__u32), &first->sk_max_ack_backlog);
	out->flags |= FLAG_QUEUES;
}

static __always_inline void udp_queues(struct record *out, struct sock *sk)
{
	int deficit = 0;

	bpf_probe_read_kernel(&deficit, sizeof(deficit), &((struct udp_sock *)sk)->forward_deficit);
	out->receive_queue = sk->sk_backlog.rmem_alloc.counter - deficit;
	out->send_queue = sk->sk_wmem_alloc.refs.counter - 1;
	out->flags |= FLAG_QUEUES;
}

SEC("iter/task_file")
int sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task, *reader;
	struct file *file = ctx->file;
	struct record out = {};
	struct socket *socket;
	struct sock *sk;
	__u16 protocol;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	out.family = sk->__sk_common.skc_family;
	if (out.family != AF_INET && out.family != AF_INET6)
		return 0;
	out.port = sk->__sk_common.skc_num;
	protocol = sk->sk_protocol;
	if (!out.port || !(protocol == IPPROTO_UDP ? sk->sk_type == SOCK_DGRAM :
			   (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP) && sk->sk_type == SOCK_STREAM))
		return 0;
	out.state = sk->__sk_common.skc_state;
	reader = bpf_get_current_task_btf();
	if (!wanted(bpf_task_storage_get(&filters, reader, 0, 0), protocol == IPPROTO_UDP, out.state,
		    out.port))
		return 0;
	holder(&out, task, reader);
	if (!out.pid) /* it has ended meanwhile */
		return 0;

	out.mark = MARK;
	out.inode = BPF_CORE_READ(file, f_inode, i_ino);
	out.cookie = bpf_get_socket_cookie(sk);
	out.fd = ctx->fd;
	if (bpf_core_field_exists(sk->__sk_common.skc_net))
		out.netns = sk->__sk_common.skc_net.net->ns.inum;
	out.uid = sk->sk_uid.val;
	out.interface = sk->__sk_common.skc_bound_dev_if;
	out.peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
	out.protocol = protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	addresses(&out, sk);
	if (protocol == IPPROTO_UDP)
		udp_queues(&out, sk);
	else if (protocol == IPPROTO_TCP)
		tcp_queues(&out, sk);
	else
		mptcp_queues(&out, sk);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}
