// SPDX-License-Identifier: Apache-2.0

package iso8583

// fieldName is what a field is called, in Chinese and in English.
type fieldName struct{ zh, en string }

var fieldNames = map[int]fieldName{
	1:   {"位图", "bitmap"},
	2:   {"主账号", "card number"},
	3:   {"交易处理码", "processing code"},
	4:   {"交易金额", "amount"},
	5:   {"清算金额", "settlement amount"},
	6:   {"持卡人扣账金额", "cardholder amount"},
	7:   {"传输日期时间", "transmission time"},
	9:   {"清算汇率", "settlement rate"},
	10:  {"持卡人扣账汇率", "cardholder rate"},
	11:  {"受卡方系统跟踪号", "trace number"},
	12:  {"受卡方所在地时间", "local time"},
	13:  {"受卡方所在地日期", "local date"},
	14:  {"卡有效期", "expiry"},
	15:  {"清算日期", "settlement date"},
	16:  {"兑换日期", "conversion date"},
	18:  {"商户类型", "merchant category"},
	19:  {"商户国家代码", "country of the acquirer"},
	22:  {"服务点输入方式码", "entry mode"},
	23:  {"卡序列号", "card sequence number"},
	24:  {"网络标识", "network"},
	25:  {"服务点条件码", "condition code"},
	26:  {"服务点PIN获取码", "longest PIN"},
	28:  {"交易费", "transaction fee"},
	32:  {"受理机构标识码", "acquiring institution"},
	33:  {"发送机构标识码", "forwarding institution"},
	35:  {"第二磁道数据", "track 2"},
	36:  {"第三磁道数据", "track 3"},
	37:  {"检索参考号", "retrieval reference"},
	38:  {"授权标识应答码", "authorization code"},
	39:  {"应答码", "response code"},
	41:  {"受卡机终端标识码", "terminal"},
	42:  {"受卡方标识码", "merchant"},
	43:  {"受卡方名称地址", "merchant name and place"},
	44:  {"附加响应数据", "institutions"},
	45:  {"第一磁道数据", "track 1"},
	48:  {"附加数据", "additional data"},
	49:  {"交易货币代码", "currency"},
	50:  {"清算货币代码", "settlement currency"},
	51:  {"持卡人账户货币代码", "cardholder currency"},
	52:  {"个人标识码数据", "PIN block"},
	53:  {"安全控制信息", "security control"},
	54:  {"附加金额", "balances"},
	55:  {"IC卡数据域", "chip data"},
	56:  {"附加信息", "additional information"},
	57:  {"附加交易信息", "additional transaction data"},
	58:  {"PBOC电子钱包标准的交易信息", "electronic purse data"},
	59:  {"自定义域", "private data"},
	60:  {"自定义域", "function and batch"},
	61:  {"原始信息域", "original message"},
	62:  {"自定义域", "keys, parameters or status"},
	63:  {"自定义域", "operator or text"},
	64:  {"报文鉴别码", "authentication code"},
	70:  {"网络管理信息码", "network management code"},
	90:  {"原始数据元", "original data"},
	100: {"接收机构标识码", "receiving institution"},
	102: {"账户标识1", "account 1"},
	103: {"账户标识2", "account 2"},
	121: {"受理机构保留", "reserved for the acquirer"},
	128: {"报文鉴别码", "authentication code"},
}

// FieldName gives the usual name of a field in Chinese and in English, both empty for
// one that has no agreed use.
func FieldName(de int) (zh, en string) {
	n := fieldNames[de]
	return n.zh, n.en
}
