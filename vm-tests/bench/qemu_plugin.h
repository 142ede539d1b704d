/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's interface for TCG plugins, version 1 (QEMU 4.2 to 8.2), as far as
 * count.c uses it.  Debian 12 has no package with qemu-plugin.h.
 *
 * The interface is documented in QEMU's docs/devel/tcg-plugins.rst.
 */
#ifndef TXGEN_QEMU_PLUGIN_H
#define TXGEN_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W = 2 };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id,
					       struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu, void *data);
typedef void (*qemu_plugin_udata_cb_t)(qemu_plugin_id_t id, void *data);
typedef void (*qemu_plugin_vcpu_mem_cb_t)(unsigned int vcpu,
					  qemu_plugin_meminfo_t info,
					  uint64_t vaddr, void *data);

void
qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
				      qemu_plugin_vcpu_tb_trans_cb_t cb);
void
qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					 enum qemu_plugin_op op,
					 void *counter, uint64_t add);
void
qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
				       qemu_plugin_vcpu_udata_cb_t cb,
				       enum qemu_plugin_cb_flags flags,
				       void *data);
void
qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				 qemu_plugin_vcpu_mem_cb_t cb,
				 enum qemu_plugin_cb_flags flags,
				 enum qemu_plugin_mem_rw rw, void *data);
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    qemu_plugin_udata_cb_t cb, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#endif
