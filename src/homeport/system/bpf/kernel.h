/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The few kernel types that sockets.bpf.c reads, each with only the members that it reads.
 *
 * Order, offsets and sizes mean nothing here: preserve_access_index makes the compiler record every access by name, and
 * the running kernel's BTF says where the member is (CO-RE). Names after ___ are dropped when types are matched.
 */
#pragma once

#include <linux/types.h>

#define KERNEL __attribute__((preserve_access_index))

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL;

struct ns_common {
	unsigned int inum;
} KERNEL;

struct net {
	struct ns_common ns;
} KERNEL;

typedef struct {
	struct net *net;
} KERNEL possible_net_t;

typedef struct {
	int counter;
} KERNEL atomic_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
} KERNEL;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} KERNEL;

typedef struct {
	atomic_t refs;
} KERNEL refcount_t;

typedef struct {
	__u32 val;
} KERNEL kuid_t;

struct sock {
	struct sock_common __sk_common;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	refcount_t sk_wmem_alloc;
	kuid_t sk_uid;
	__u16 sk_type;
	__u16 sk_protocol;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
} KERNEL;

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_una;
	__u32 write_seq;
} KERNEL;

struct udp_sock {
	int forward_deficit;
} KERNEL;

struct mptcp_sock {
	struct sock *first;
} KERNEL;

struct socket {
	struct sock *sk;
} KERNEL;

struct inode {
	unsigned long i_ino;
} KERNEL;

struct file {
	struct inode *f_inode;
} KERNEL;

struct upid {
	int nr;
} KERNEL;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} KERNEL;

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
} KERNEL;

struct timens_offsets {
	struct timespec64 boottime;
} KERNEL;

struct time_namespace {
	struct timens_offsets offsets;
} KERNEL;

struct nsproxy {
	struct time_namespace *time_ns;
} KERNEL;

struct task_struct {
	int pid;
	int tgid;
	__u64 start_boottime;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
} KERNEL;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} KERNEL;
